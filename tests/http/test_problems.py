"""The table of problems."""

from collections.abc import Iterator

import pytest

from backroom.adapters.http.problems import PROBLEMS
from backroom.adapters.http.refusals import Refusal
from backroom.domain.errors import DomainError
from tests.http.service import Client

# What no class stands for: a fault of ours, and what the server refuses before there is a request.
UNCLASSED = {"internal_error", "uri_too_long", "headers_too_large"}


def errors(of: type[Exception]) -> Iterator[type[Exception]]:
    """Return every class of errors below one."""
    for each in of.__subclasses__():
        yield each
        yield from errors(each)


def codes() -> set[str]:
    """Return the code of every error that there is."""
    return {vars(each)["code"] for base in (DomainError, Refusal) for each in errors(base) if "code" in vars(each)}


def test_the_table_is_total_and_has_nothing_else() -> None:
    """Each code of an error is in the table, and each in the table is that of an error or of the server."""
    assert set(PROBLEMS) == codes() | UNCLASSED


@pytest.mark.anyio
@pytest.mark.parametrize("code", sorted(PROBLEMS))
async def test_a_problem_type_answers_with_its_explanation(client: Client, code: str) -> None:
    """What `type` names can be fetched, and says more."""
    answer = (await client.get(f"/problems/{code}")).json()
    assert (code, PROBLEMS[code].status, PROBLEMS[code].title) == (answer["code"], answer["status"], answer["title"])
    assert answer["explanation"]
