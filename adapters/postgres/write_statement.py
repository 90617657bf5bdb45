"""The write statement: one statement writes any number of entities, changes and stored outcomes.

The statement carries its own condition: every entity that it replaces or removes still has the version that the
decision saw. If one has not, or another transaction is writing it, the statement writes nothing.

It numbers its changes last, under a lock that lasts until the end of the transaction. All other writers of the log wait
for that lock. So the numbers have no gaps and follow the order of commits.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

from attrs import field, frozen

from adapters.postgres.deliveries import COLUMNS, PUT, QUEUE, row_of
from adapters.postgres.log import COLUMNS as CHANGE
from adapters.postgres.table_mapping import TableMapping, json
from domain.changes import Change
from domain.deliveries import Delivery, Lease
from domain.entity_type import Deleted, Entity
from domain.state import Ref, UniqueValue

_OUTCOME = "caller, name, fingerprint, receipt, expires_at"

CLAIM_LOCKS = 1024
"""The number of rows in `claim_locks`."""

TAKEN = frozenset({"changes_of_entity", "receipts_pkey", "deliveries_of_positions"})
"""Constraints, beside those of entities, whose violation means that another writer was faster."""


@frozen(kw_only=True)
class WritePlan:
    """What to write: the entities in `final` (decided from `current`), the changes and the stored outcomes."""

    current: Mapping[Ref, Any]
    final: Mapping[Ref, Any]
    changes: Sequence[Change[Any]]
    stored_outcomes: list[dict[str, Any]]
    unique_values: Collection[UniqueValue]  # unique values that may get a new owner
    deliveries: Sequence[Delivery] = ()
    lease: Lease | None = None  # must still be held
    follow: int | None = None  # new webhooks start after this change, or else after the last of `changes`


def statement_of(rows: Mapping[str, TableMapping], plan: WritePlan) -> "Statement":
    """Return the statement that carries out a plan. Its result is false if the state that it was decided on changed."""
    statement = Statement()
    if plan.unique_values:
        statement.claim({_lock_of(each) for each in plan.unique_values})
    for entity_type in sorted({entity_type for entity_type, _ in plan.final}, key=lambda each: each.name):
        _leave(statement, rows[entity_type.name], plan)
    if plan.stored_outcomes:
        outcomes = sorted(plan.stored_outcomes, key=lambda each: (each["caller"], each["name"]))
        statement.do(
            f"INSERT INTO receipts ({_OUTCOME}) SELECT {_OUTCOME}"
            f" FROM jsonb_populate_recordset(NULL::receipts, {statement.mark(outcomes)})"
        )
    if plan.lease is not None:
        statement.lease(plan.lease)
    _deliver(statement, plan)
    if plan.changes:
        _log(statement, plan)
    return statement


def _lock_of(value: UniqueValue) -> int:
    """Return the number of the lock of a value, the same in every process. Values may share one."""
    entity_type, name, content = value
    return crc32(f"{entity_type.name} {name} {content}".encode()) % CLAIM_LOCKS


def _leave(statement: "Statement", rows: TableMapping, plan: WritePlan) -> None:
    """Add the writes of the entities of one entity type."""
    table, entity_type, columns = rows.table, rows.entity_type, ", ".join(rows.columns)
    documents = {each.record.id: each.record.document for each in plan.changes if each.entity_type is entity_type}
    final = {id: after for (each, id), after in plan.final.items() if each is entity_type}
    stood = {
        id: plan.current[entity_type, id] for id in final if isinstance(plan.current.get((entity_type, id)), Entity)
    }
    stands = {id: rows.row(after, documents[id]) for id, after in sorted(final.items()) if isinstance(after, Entity)}
    if stood:
        statement.hold(table, [{"id": id, "version": before.version} for id, before in stood.items()])
    if gone := [{"id": id} for id in stood if id not in stands]:
        source = f"jsonb_to_recordset({statement.mark(gone)}) AS gone(id bigint)"
        statement.do(f"DELETE FROM {table} USING {source}", f"{table}.id = gone.id")
    if changed := [row for id, row in stands.items() if id in stood]:
        source = f"jsonb_populate_recordset(NULL::{table}, {statement.mark(changed)}) AS new"
        values = ", ".join(f"new.{column}" for column in rows.columns)
        statement.do(f"UPDATE {table} SET ({columns}) = ({values}) FROM {source}", f"{table}.id = new.id")
    if new := [row for id, row in stands.items() if id not in stood]:
        source = f"jsonb_populate_recordset(NULL::{table}, {statement.mark(new)})"
        statement.do(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {source}")


def _deliver(statement: "Statement", plan: WritePlan) -> None:
    """Add queued deliveries. The deletion of a webhook also removes its position and its deliveries."""
    if gone := [
        id for (entity_type, id), after in plan.final.items() if entity_type.subscribes and isinstance(after, Deleted)
    ]:
        rows = statement.mark([{"id": id} for id in gone])
        statement.do(f"DELETE FROM positions USING jsonb_to_recordset({rows}) AS gone(id bigint)", "webhook = gone.id")
    if plan.deliveries:
        rows = statement.mark(list({each.id: row_of(each) for each in plan.deliveries}.values()))
        queued = f"SELECT {COLUMNS} FROM jsonb_populate_recordset(NULL::deliveries, {rows})"
        statement.do(
            f"INSERT INTO deliveries ({COLUMNS}) {queued}",
            then=QUEUE if plan.lease is None else PUT,
        )


def _log(statement: "Statement", plan: WritePlan) -> None:
    """Add the changes (the first column is the number) and the positions of new webhooks."""
    rows = statement.mark(_change_rows(plan.changes))
    query = f"SELECT * FROM jsonb_populate_recordset(NULL::changes, {rows})"  # not under the log's lock
    statement.first("logged", query)
    statement.append(f"INSERT INTO changes ({CHANGE}) SELECT newest + {CHANGE} FROM numbered, logged")
    living = [ref for ref, after in plan.final.items() if ref[0].subscribes and isinstance(after, Entity)]
    if new := [{"id": ref[1]} for ref in living if not isinstance(plan.current.get(ref), Entity)]:
        start = f"newest + {len(plan.changes)}" if plan.follow is None else f"{plan.follow}"
        statement.append(
            f"INSERT INTO positions (webhook, number) SELECT id, {start}"
            f" FROM numbered, jsonb_to_recordset({statement.mark(new)}) AS new(id bigint)"
        )


def _change_rows(changes: Iterable[Change[Any]]) -> list[dict[str, Any]]:
    return [
        {
            "number": number,
            "kind": change.entity_type.name,
            "id": change.record.id,
            "version": change.record.version,
            "action": change.action.value,
            "at": change.at,
            "request_id": change.request_id,
            "changed": " ".join(change.changed),
            "document": change.record.document,
            "reason": change.reason,
            **_actor(change),
            **({} if change.trace is None else {"trace": change.trace.text}),
        }
        for number, change in enumerate(changes, 1)
    ]


def _actor(change: Change[Any]) -> dict[str, Any]:
    return {} if change.actor is None else {"actor_key": change.actor.key, "actor_name": change.actor.name}


@frozen
class Statement:
    """Common table expressions: either all of them write, or none does."""

    held: list[str] = field(factory=list)
    conditions: list[str] = field(factory=list)
    writes: list[str] = field(factory=list)
    appends: list[str] = field(factory=list)
    values: list[str] = field(factory=list)

    @property
    def writes_anything(self) -> bool:
        """Whether there is something to write. An entity created and deleted in one batch is only in the log."""
        return bool(self.writes or self.appends)

    def mark(self, rows: list[dict[str, Any]]) -> str:
        """Return the placeholder of a value that holds rows."""
        self.values.append(json(rows))
        return f"${len(self.values)}::jsonb"

    def first(self, name: str, query: str) -> None:
        """Carry out a query before all writes, whatever it finds. They need its count, or it might come later."""
        self.held.append(f"{name} AS MATERIALIZED ({query})")
        self.conditions.append(f"(SELECT count(*) FROM {name}) >= 0")

    def claim(self, locks: set[int]) -> None:
        """Wait for other transactions that are claiming one of the values with these locks.

        Otherwise two could deadlock: one waits at the unique constraint for the other to commit, and the other waits
        for the first to release the lock of the log.
        """
        mark = self.mark([{"number": each} for each in locks])
        self.first(
            "claimed",
            f"SELECT number FROM claim_locks JOIN jsonb_to_recordset({mark}) AS claim(number integer)"
            " USING (number) ORDER BY number FOR UPDATE OF claim_locks",
        )

    def hold(self, table: str, seen: list[dict[str, Any]]) -> None:
        """Require that entities still have the versions seen, and that no other transaction is writing them.

        It never waits. So a slow transaction delays only batches for the same entities, when each is tried alone.
        """
        mark = self.mark(seen)
        self.held.append(
            f"held_{table} AS MATERIALIZED (SELECT id FROM {table}"
            f" JOIN jsonb_to_recordset({mark}) AS seen(id bigint, version bigint) USING (id, version)"
            f" ORDER BY id FOR UPDATE OF {table} SKIP LOCKED)"
        )
        self.conditions.append(f"(SELECT count(*) FROM held_{table}) = jsonb_array_length({mark})")

    def lease(self, lease: Lease) -> None:
        """Require that a lease is still held, and lock it."""
        mark = self.mark([{"webhook": lease.webhook, "owner": lease.owner}])
        self.held.append(
            "leased AS MATERIALIZED (SELECT webhook FROM positions"
            f" JOIN jsonb_to_recordset({mark}) AS lease(webhook bigint, owner text) USING (webhook, owner)"
            " FOR UPDATE OF positions)"
        )
        self.conditions.append("(SELECT count(*) FROM leased) = 1")

    def do(self, sql: str, where: str = "true", then: str = "") -> None:
        """Add a write that happens if all conditions hold."""
        name = f"write_{len(self.writes)}"
        self.writes.append(f"{name} AS ({sql} WHERE {where} AND (SELECT free FROM gate) {then} RETURNING true)")

    def append(self, sql: str) -> None:
        """Add a write to the log. It takes its numbers from `numbered`, after all other writes."""
        self.appends.append(f"append_{len(self.appends)} AS ({sql})")

    def sql(self) -> str:
        """Return the statement; its result is whether it wrote."""
        gate = f"gate AS MATERIALIZED (SELECT {' AND '.join(self.conditions) or 'true'} AS free)"
        after = "".join(f" AND (SELECT count(*) FROM write_{number}) >= 0" for number in range(len(self.writes)))
        numbered = f"numbered AS MATERIALIZED (SELECT lock_log() AS newest WHERE (SELECT free FROM gate){after})"
        parts = [*self.held, gate, *self.writes, *([numbered, *self.appends] if self.appends else [])]
        return f"WITH {', '.join(parts)} SELECT free FROM gate"
