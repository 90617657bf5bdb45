"""What clients kept of an earlier version: cursors of lists, and idempotency keys."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from adapters.http.handlers.idempotency import fingerprint
from adapters.http.requests.cursors import ListCursors
from adapters.http.requests.request import Request
from domain.errors import BadCursor
from domain.queries import Condition, Operator, Order, Query
from domain.task import TASK, Status

CURSORS = ListCursors(b"secret of a store")
FIELDS = TASK.by_name

HOLDING: list[tuple[str, Query[Any], tuple[Any, ...]]] = [
    ("wYtx_2_iufMZBu4cWzdd", Query(entity_type=TASK), (7,)),
    (
        "1U8T0pwRUbtHkY9-W1sidCIsIjIwMjYtMDEtMzFUMTI6MDA6MDArMDA6MDAiXSw3XQ",
        Query(entity_type=TASK, order=(Order(FIELDS["updated_at"], True),)),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), 7),
    ),
    (
        "iH2QBSDcJn0l7v72W1siZCIsIjIwMjYtMDItMDEiXSw3XQ",
        Query(entity_type=TASK, order=(Order(FIELDS["due"]),)),
        (date(2026, 2, 1), 7),
    ),
    (
        "1gf39pV5H3pkDHVlWzdd",
        Query(entity_type=TASK, where=(Condition(FIELDS["status"], Operator.EQ, Status.DONE),)),
        (7,),
    ),
    ("2jPCrOnZGSf5tR_FWzdd", Query(entity_type=TASK, search="Brass"), (7,)),
]
BY_TEXT = "MIs7u9aUwpuWVlCnWyJzd2VlcCIsN10"


@pytest.mark.parametrize(("cursor", "query", "position"), HOLDING)
def test_cursors_hold(cursor: str, query: Query[Any], position: tuple[Any, ...]) -> None:
    """A cursor that the first version gave is still that position in its list."""
    assert position == CURSORS.read(query, cursor)


def test_cursors_by_text_have_expired() -> None:
    """Text is folded in another way since then, so a position in its order is refused, and not misread."""
    with pytest.raises(BadCursor):
        CURSORS.read(Query(entity_type=TASK, order=(Order(FIELDS["title"]),)), BY_TEXT)


def test_idempotency_keys_hold() -> None:
    """A request is told from others as the first version did, so that one repeated after an upgrade is the same."""

    async def receive() -> Any:
        raise AssertionError

    headers = {b"if-match": b'"1"', b"content-type": b"application/json"}
    request = Request("PUT", "/tasks/1", b"", headers, receive, "r-1")

    assert (
        "50215182e2d596d0b6d2b0f99b26c71836fd7ab53e9cca6dc39e6bcfb6a7ca9b"
        == fingerprint(request, b'{"title":"Mop"}').hex()
    )
