"""Scopes."""

import pytest

from domain.access.scopes import AccessScope


@pytest.mark.parametrize(
    ("scope", "included"),
    [
        (AccessScope.READ, {AccessScope.READ}),
        (AccessScope.WRITE, {AccessScope.READ, AccessScope.WRITE}),
        (AccessScope.ADMIN, {AccessScope.READ, AccessScope.WRITE, AccessScope.ADMIN}),
    ],
)
def test_a_scope_includes_the_lesser_ones(scope: AccessScope, included: set[AccessScope]) -> None:
    """Each scope is good for itself and for the lesser ones, and for nothing else."""
    assert included == {each for each in AccessScope if scope.includes(each)}
