"""Writing what was decided: entities, changes and receipts in one statement, whether there is one of each or many.

The statement carries its own condition: every entity that it replaces or removes still has the version from which it
was decided. If one has not, or someone else is just now writing it, nothing at all is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from adapters.postgres.connections import Connection
from adapters.postgres.deliveries import COLUMNS, PUT, QUEUE, row_of
from adapters.postgres.errors import Conflict
from adapters.postgres.log import EPOCH
from adapters.postgres.places import Bookmark
from adapters.postgres.table_mapping import TableMapping, json
from domain.changes import Change
from domain.deliveries import Delivery, Lease
from domain.entity_type import Deleted, Entity, EntityType
from domain.state import Ref

_CHANGE = "seq, kind, id, version, action, at, request_id, changed, document, reason, actor_key, actor_name"
_RECEIPT = "caller, name, fingerprint, receipt, expires_at"
_BEHIND = f"(epoch, xid) > ({EPOCH}, pg_current_xact_id())"

TAKEN = frozenset({"changes_of_entity", "receipts_pkey", "deliveries_of_positions"})
"""The constraints, beside those of the entities, that tell that someone else was faster."""


@frozen(kw_only=True)
class WritePlan:
    """What to write: leave each entity as in `final`, which was decided on `standing`, log changes, keep receipts."""

    current: Mapping[Ref, Any]
    final: Mapping[Ref, Any]
    changes: Sequence[Change[Any]]
    receipts: list[dict[str, Any]]
    claims: bool  # whether a value that must be unique may pass from one entity to another
    deliveries: Sequence[Delivery] = ()
    lease: Lease | None = None  # which must still be held
    follow: Bookmark | None = None  # where new webhooks start, if it is not behind these changes


async def write(connection: Connection, rows: Mapping[str, TableMapping], plan: WritePlan, *, locking: bool) -> None:
    """Carry out a plan. Raises `Conflict` where what it was decided on is not so any more.

    With `locking`, the transaction has locked what it names and so has its place in the log already.
    """
    statement = _Statement()
    for entity_type in sorted({entity_type for entity_type, _ in plan.final}, key=lambda each: each.name):
        _leave(statement, rows[entity_type.name], plan)
        if locking:
            _follow(statement, entity_type, plan)
    if plan.changes:
        statement.do(
            f"INSERT INTO changes (epoch, {_CHANGE}) SELECT {EPOCH}, {_CHANGE}"
            f" FROM jsonb_populate_recordset(NULL::changes, {statement.mark(_change_rows(plan.changes))})"
        )
    if plan.receipts:
        statement.do(
            f"INSERT INTO receipts ({_RECEIPT}) SELECT {_RECEIPT}"
            f" FROM jsonb_populate_recordset(NULL::receipts, {statement.mark(plan.receipts)})"
        )
    if plan.lease is not None:
        statement.lease(plan.lease)
    _deliver(statement, plan)
    if statement.writes and not await connection.fetchval(statement.sql(), *statement.values):
        raise Conflict


def _leave(statement: "_Statement", rows: TableMapping, plan: WritePlan) -> None:
    """Add what leaves the entities of one kind as they shall be."""
    table, entity_type, columns = rows.table, rows.entity_type, ", ".join(rows.columns)
    documents = {each.record.id: each.record.document for each in plan.changes if each.entity_type is entity_type}
    final = {id: after for (each, id), after in plan.final.items() if each is entity_type}
    stood = {
        id: plan.current[entity_type, id] for id in final if isinstance(plan.current.get((entity_type, id)), Entity)
    }
    stands = {id: rows.row(after, documents[id]) for id, after in final.items() if isinstance(after, Entity)}
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
    """Add where webhooks start, and what is queued for them. A deletion takes both along."""
    webhooks = [ref for ref in plan.final if ref[0].subscribes]
    gone = [ref[1] for ref in webhooks if isinstance(plan.final[ref], Deleted)]
    new = [ref[1] for ref in webhooks if ref[1] not in gone and not isinstance(plan.current.get(ref), Entity)]
    if gone:
        rows = statement.mark([{"id": id} for id in gone])
        statement.do(f"DELETE FROM positions USING jsonb_to_recordset({rows}) AS gone(id bigint)", "webhook = gone.id")
    if new:
        place = {"seq": len(plan.changes)} if plan.follow is None else _position(plan.follow)
        rows = statement.mark([{"webhook": id, **place} for id in new])
        statement.do(
            "INSERT INTO positions (webhook, epoch, xid, seq, shown) SELECT"
            f" webhook, coalesce(epoch, {EPOCH}), coalesce(xid, pg_current_xact_id()), seq, shown"
            f" FROM jsonb_populate_recordset(NULL::positions, {rows})"
        )
    if plan.deliveries:
        rows = statement.mark(list({each.id: row_of(each) for each in plan.deliveries}.values()))
        queued = f"SELECT {COLUMNS} FROM jsonb_populate_recordset(NULL::deliveries, {rows})"
        statement.do(
            f"INSERT INTO deliveries ({COLUMNS}) {queued}",
            then=QUEUE if plan.lease is None else PUT,
        )


def _position(bookmark: Bookmark) -> dict[str, Any]:
    place, shown = bookmark.place, bookmark.shown
    snapshot = None if shown is None else f"{shown[0]}:{shown[1]}:{','.join(map(str, shown[2]))}"
    return {"epoch": place.epoch, "xid": place.xid, "seq": place.seq, "shown": snapshot}


def _follow(statement: "_Statement", entity_type: EntityType[Any], plan: WritePlan) -> None:
    """Require that whatever was decided on is in front of us in the log.

    A transaction takes its id when it locks its first row. While it then waited for another row, someone with a
    higher id may have written that one; its change would come behind ours, which was decided on it.
    """
    if plan.claims and entity_type.unique:  # it cannot be told who gave up a value that nobody has now
        statement.conditions.append(f"NOT EXISTS (SELECT FROM changes WHERE kind = '{entity_type.name}' AND {_BEHIND})")
        return
    befores = [plan.current.get(ref) for ref in plan.final if ref[0] is entity_type]
    entities = [each.entity if isinstance(each, Deleted) else each for each in befores if each is not None]
    seen = statement.mark([{"id": each.id, "version": each.version} for each in entities])
    statement.conditions.append(
        f"NOT EXISTS (SELECT FROM changes JOIN jsonb_to_recordset({seen}) AS seen(id bigint, version bigint)"
        f" USING (id, version) WHERE kind = '{entity_type.name}' AND {_BEHIND})"
    )


def _change_rows(changes: Iterable[Change[Any]]) -> list[dict[str, Any]]:
    return [
        {
            "seq": seq,
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
        for seq, change in enumerate(changes, 1)
    ]


def _actor(change: Change[Any]) -> dict[str, Any]:
    return {} if change.actor is None else {"actor_key": change.actor.key, "actor_name": change.actor.name}


@frozen
class _Statement:
    """Common table expressions that all write or none do."""

    held: list[str] = field(factory=list)
    conditions: list[str] = field(factory=list)
    writes: list[str] = field(factory=list)
    values: list[str] = field(factory=list)

    def mark(self, rows: list[dict[str, Any]]) -> str:
        """Return the mark of a value that holds rows."""
        self.values.append(json(rows))
        return f"${len(self.values)}::jsonb"

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
        self.writes.append(f"write_{len(self.writes)} AS ({sql} WHERE {where} AND (SELECT free FROM gate) {then})")

    def sql(self) -> str:
        """Return the statement, which tells whether it wrote."""
        gate = f"gate AS MATERIALIZED (SELECT {' AND '.join(self.conditions) or 'true'} AS free)"
        return f"WITH {', '.join([*self.held, gate, *self.writes])} SELECT free FROM gate"
