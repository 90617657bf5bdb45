"""Scopes."""

import pytest

from domain.access.scopes import Scope


@pytest.mark.parametrize(
    ("scope", "included"),
    [
        (Scope.READ, {Scope.READ}),
        (Scope.WRITE, {Scope.READ, Scope.WRITE}),
        (Scope.ADMIN, {Scope.READ, Scope.WRITE, Scope.ADMIN}),
    ],
)
def test_a_scope_includes_the_lesser_ones(scope: Scope, included: set[Scope]) -> None:
    """Each scope is good for itself and for the lesser ones, and for nothing else."""
    assert included == {each for each in Scope if scope.includes(each)}
