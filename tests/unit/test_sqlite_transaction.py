"""Batches that share a transaction see the effects of those before them, though much is written at its end."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import apsw
import pytest

from adapters.serialization.outcomes import write_outcome
from adapters.sqlite.connections import fetch, migrate
from adapters.sqlite.log import open_log
from adapters.sqlite.table_mapping import TableMapping
from adapters.sqlite.transaction import Transaction
from domain.commands import Delete, Precondition, Restore
from domain.decisions import Done, IdempotencyKey, Outcome, Replay
from domain.errors import KeyReused, PreconditionFailed
from domain.ports import OUTCOMES_KEPT
from domain.registry import ENTITY_TYPES
from domain.task import TASK
from tests.builders import NOON, SERIALIZER, batch, create
from tests.contract.steps import edit


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    """Return an empty database."""
    opened = apsw.Connection(":memory:")
    migrate(opened)
    yield opened
    opened.close()


def begun(connection: apsw.Connection) -> Transaction:
    """Return what is applied in one go."""
    return Transaction(
        connection,
        open_log(connection, ENTITY_TYPES),
        {entity_type.name: TableMapping(entity_type) for entity_type in ENTITY_TYPES},
        SERIALIZER,
    )


def key(fingerprint: bytes = b"f") -> IdempotencyKey:
    """Return a key."""
    return IdempotencyKey(caller="", name="k", fingerprint=fingerprint)


def logged(connection: apsw.Connection) -> list[tuple[Any, ...]]:
    """Return the log: numbers, actions, ids and versions."""
    return fetch(connection, "SELECT number, action, id, version FROM changes ORDER BY number")


def test_what_was_just_deleted_is_restored(connection: apsw.Connection) -> None:
    """A restore finds the deletion in the log, which has a number for each change and none twice."""
    transaction = begun(connection)
    transaction.apply(batch(create(TASK)), NOON)
    transaction.apply(batch(Delete(entity_type=TASK, id=1)), NOON)
    transaction.apply(batch(Restore(entity_type=TASK, id=1)), NOON)
    transaction.apply(batch(create(TASK)), NOON)
    transaction.finish()
    expected = [(1, "created", 1, 1), (2, "deleted", 1, 2), (3, "restored", 1, 3), (4, "created", 2, 1)]
    assert expected == logged(connection)
    assert [(4,)] == connection.execute("SELECT newest FROM log").fetchall()


def test_a_failed_precondition_knows_what_just_changed(connection: apsw.Connection) -> None:
    """The log tells the changes since the expected version, also those of a moment ago."""
    transaction = begun(connection)
    transaction.apply(batch(create(TASK)), NOON)
    transaction.apply(batch(edit(TASK, 1, status="done")), NOON)
    late = transaction.apply(batch(Delete(entity_type=TASK, id=1, precondition=Precondition(frozenset({1})))), NOON)
    assert isinstance(late, Outcome)
    (refusal,) = late.results
    assert isinstance(refusal, PreconditionFailed)
    assert ("status",) == refusal.changed


def test_a_key_that_was_just_used(connection: apsw.Connection) -> None:
    """The same request gets the stored outcome, another one under the same key is refused, and one row is kept."""
    transaction = begun(connection)
    first = transaction.apply(batch(create(TASK), key=key()), NOON)
    assert isinstance(first, Outcome)
    assert isinstance(first.results[0], Done)
    assert Replay(outcome=first) == transaction.apply(batch(create(TASK), key=key()), NOON)
    with pytest.raises(KeyReused):
        transaction.apply(batch(create(TASK), key=key(fingerprint=b"g")), NOON)
    transaction.finish()
    kept = connection.execute("SELECT name, fingerprint, receipt FROM receipts").fetchall()
    assert [("k", b"f", write_outcome(first))] == kept
    assert [(1, "created", 1, 1)] == logged(connection)


def test_a_key_that_has_expired(connection: apsw.Connection) -> None:
    """An expired outcome that is not purged yet gives way to the new one."""
    for number, at in enumerate((NOON, NOON + OUTCOMES_KEPT - timedelta(microseconds=1), NOON + OUTCOMES_KEPT)):
        transaction = begun(connection)
        answer = transaction.apply(batch(create(TASK), key=key()), at)
        transaction.finish()
        assert isinstance(answer, Replay) is (number == 1)
    assert isinstance(answer, Outcome)
    assert [(write_outcome(answer),)] == connection.execute("SELECT receipt FROM receipts").fetchall()
