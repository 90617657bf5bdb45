"""Writing what was decided: entities, changes and receipts in one statement, whether there is one of each or many.

The statement carries its own condition: every entity that it replaces or removes still has the version from which it
was decided. If one has not, or someone else is just now writing it, nothing at all is written.

Its changes are numbered last. Who numbers changes has a lock until the end of the transaction, for which all others
wait who write to the log; so their numbers have no gaps, and are in the order of commits.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from adapters.postgres.connections import Connection
from adapters.postgres.deliveries import COLUMNS, PUT, QUEUE, row_of
from adapters.postgres.errors import Conflict
from adapters.postgres.log import COLUMNS as CHANGE
from adapters.postgres.table_mapping import TableMapping, json
from domain.changes import Change
from domain.deliveries import Delivery, Lease
from domain.entity_type import Deleted, Entity
from domain.state import Ref, UniqueValue

_RECEIPT = "caller, name, fingerprint, receipt, expires_at"

TAKEN = frozenset({"changes_of_entity", "receipts_pkey", "deliveries_of_positions"})
"""The constraints, beside those of the entities, that tell that someone else was faster."""


@frozen(kw_only=True)
class WritePlan:
    """What to write: leave each entity as in `final`, which was decided on `standing`, log changes, keep receipts."""

    current: Mapping[Ref, Any]
    final: Mapping[Ref, Any]
    changes: Sequence[Change[Any]]
    receipts: list[dict[str, Any]]
    claims: Collection[UniqueValue]  # that may be new to who has them then
    deliveries: Sequence[Delivery] = ()
    lease: Lease | None = None  # which must still be held
    follow: int | None = None  # behind which change new webhooks start, if it is not the last of these


async def write(connection: Connection, rows: Mapping[str, TableMapping], plan: WritePlan) -> None:
    """Carry out a plan. Raises `Conflict` where what it was decided on is not so any more."""
    statement = _Statement()
    if plan.claims:
        statement.claim([{"value": f"{entity_type.name} {field} {value}"} for entity_type, field, value in plan.claims])
    for entity_type in sorted({entity_type for entity_type, _ in plan.final}, key=lambda each: each.name):
        _leave(statement, rows[entity_type.name], plan)
    if plan.receipts:
        receipts = sorted(plan.receipts, key=lambda each: (each["caller"], each["name"]))
        statement.do(
            f"INSERT INTO receipts ({_RECEIPT}) SELECT {_RECEIPT}"
            f" FROM jsonb_populate_recordset(NULL::receipts, {statement.mark(receipts)})"
        )
    if plan.lease is not None:
        statement.lease(plan.lease)
    _deliver(statement, plan)
    if plan.changes:
        _log(statement, plan)
    if statement.writes_anything and not await connection.fetchval(statement.sql(), *statement.values):
        raise Conflict


def _leave(statement: "_Statement", rows: TableMapping, plan: WritePlan) -> None:
    """Add what leaves the entities of one kind as they shall be."""
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


def _deliver(statement: "_Statement", plan: WritePlan) -> None:
    """Add what is queued for webhooks. A deletion takes that along, and how far they have come."""
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


def _log(statement: "_Statement", plan: WritePlan) -> None:
    """Add the changes, whose first column is their number, and where new webhooks start."""
    statement.append(
        f"INSERT INTO changes ({CHANGE}) SELECT newest + {CHANGE}"
        f" FROM numbered, jsonb_populate_recordset(NULL::changes, {statement.mark(_change_rows(plan.changes))})"
    )
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
        }
        for number, change in enumerate(changes, 1)
    ]


def _actor(change: Change[Any]) -> dict[str, Any]:
    return {} if change.actor is None else {"actor_key": change.actor.key, "actor_name": change.actor.name}


@frozen
class _Statement:
    """Common table expressions that all write or none do."""

    held: list[str] = field(factory=list)
    conditions: list[str] = field(factory=list)
    writes: list[str] = field(factory=list)
    appends: list[str] = field(factory=list)
    values: list[str] = field(factory=list)

    @property
    def writes_anything(self) -> bool:
        """Whether there is something to write; what is made and deleted at once is in the log alone."""
        return bool(self.writes or self.appends)

    def mark(self, rows: list[dict[str, Any]]) -> str:
        """Return the mark of a value that holds rows."""
        self.values.append(json(rows))
        return f"${len(self.values)}::jsonb"

    def claim(self, values: list[dict[str, Any]]) -> None:
        """Wait for whoever else is just now taking one of these values.

        Otherwise the one would wait for the other at its commit, where the database looks at them, and the other for
        the one to number its changes.
        """
        self.held.append(
            "claimed AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtext('backroom claims'), key) FROM"
            f" (SELECT DISTINCT hashtext(value) AS key FROM jsonb_to_recordset({self.mark(values)}) AS new(value text)"
            " ORDER BY key) AS keys)"
        )
        self.conditions.append("(SELECT count(*) FROM claimed) > 0")

    def hold(self, table: str, seen: list[dict[str, Any]]) -> None:
        """Require that entities still are at the versions that were seen, and that nobody else is writing them.

        It waits for nobody, so that a slow transaction delays only those who want the same, once they come alone.
        """
        mark = self.mark(seen)
        self.held.append(
            f"held_{table} AS MATERIALIZED (SELECT id FROM {table}"
            f" JOIN jsonb_to_recordset({mark}) AS seen(id bigint, version bigint) USING (id, version)"
            f" ORDER BY id FOR UPDATE OF {table} SKIP LOCKED)"
        )
        self.conditions.append(f"(SELECT count(*) FROM held_{table}) = jsonb_array_length({mark})")

    def lease(self, lease: Lease) -> None:
        """Require that a lease is still held, and keep others from it."""
        mark = self.mark([{"webhook": lease.webhook, "owner": lease.owner}])
        self.held.append(
            "leased AS MATERIALIZED (SELECT webhook FROM positions"
            f" JOIN jsonb_to_recordset({mark}) AS lease(webhook bigint, owner text) USING (webhook, owner)"
            " FOR UPDATE OF positions)"
        )
        self.conditions.append("(SELECT count(*) FROM leased) = 1")

    def do(self, sql: str, where: str = "true", then: str = "") -> None:
        """Write, if all conditions hold."""
        name = f"write_{len(self.writes)}"
        self.writes.append(f"{name} AS ({sql} WHERE {where} AND (SELECT free FROM gate) {then} RETURNING true)")

    def append(self, sql: str) -> None:
        """Write to the log what `numbered` knows the number for, when everything else is written."""
        self.appends.append(f"append_{len(self.appends)} AS ({sql})")

    def sql(self) -> str:
        """Return the statement, which tells whether it wrote."""
        gate = f"gate AS MATERIALIZED (SELECT {' AND '.join(self.conditions) or 'true'} AS free)"
        after = "".join(f" AND (SELECT count(*) FROM write_{number}) >= 0" for number in range(len(self.writes)))
        numbered = f"numbered AS MATERIALIZED (SELECT lock_log() AS newest WHERE (SELECT free FROM gate){after})"
        parts = [*self.held, gate, *self.writes, *([numbered, *self.appends] if self.appends else [])]
        return f"WITH {', '.join(parts)} SELECT free FROM gate"
