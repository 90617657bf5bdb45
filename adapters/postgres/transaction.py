"""Deciding command batches on the current state, and writing the result if that state still holds."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from attrs import frozen

from adapters.postgres.connections import Connection
from adapters.postgres.deliveries import is_held
from adapters.postgres.errors import Conflict
from adapters.postgres.log import Log
from adapters.postgres.table_mapping import TableMapping, json
from adapters.postgres.write_statement import WritePlan, statement_of
from adapters.serialization.outcomes import read_outcome, write_outcome
from domain.changes import Action, Change
from domain.commands import Command
from domain.decisions import (
    CommandBatch,
    Decided,
    Decision,
    Outcome,
    Replay,
    decide,
    explained,
    kept,
    named,
    recorded,
    unexplained,
    values_to_own,
)
from domain.entity_type import MAX_ID, Deleted, EntityType
from domain.errors import KeyReused
from domain.ports import OUTCOMES_KEPT
from domain.state import Current, Ref, State, UniqueValue, left
from domain.stored_entity import Serializer

LARGE = 20
"""A batch of so many commands takes long. It runs alone, and computes in a thread, so that others do not wait."""

T = TypeVar("T")
Response = Outcome | Replay | BaseException
Ids = Mapping[EntityType[Any], Iterator[int]]

# The draw does not wait for the disk. A later write under these ids does, and flushes the draw with it.
_DRAW = """
SELECT nextval('{sequence}')
FROM set_config('synchronous_commit', 'off', true), generate_series(1, (SELECT $1::integer))
"""

_ASKED = "jsonb_to_recordset($1) AS asked(caller text, name text)"
_OUTCOMES = f"SELECT receipts.* FROM receipts JOIN {_ASKED} USING (caller, name)"
_EXPIRED = (
    f"DELETE FROM receipts USING {_ASKED}"
    " WHERE (receipts.caller, receipts.name) = (asked.caller, asked.name) AND expires_at <= $2"
)


async def _new_ids(connection: Connection, commands: Iterable[Command], *, dry_run: bool) -> Ids:
    """Draw an id for each command that needs one; a dry run only looks at the next ids.

    Ids come from sequences, which no transaction locks. Commands that are refused or rolled back leave a gap.
    """
    needed = Counter(each.entity_type for each in commands if each.id is None)
    ids: dict[EntityType[Any], Iterator[int]] = {}
    for entity_type, number in needed.items():
        sequence = f"{entity_type.collection}_ids"
        if dry_run:
            ids[entity_type] = count(
                await connection.fetchval(f"SELECT last_value + is_called::integer FROM {sequence}")
            )
        else:
            drawn = await connection.fetch(_DRAW.format(sequence=sequence), number)
            ids[entity_type] = iter([id for (id,) in drawn])
    return ids


@frozen(kw_only=True)
class Transaction:
    """One attempt to carry out batches together; the number of statements does not grow with the commands.

    It looks up the entities that the batches name, decides each batch on the result of those before it, and writes all
    in one statement. Without `locking` that statement is the whole transaction, and fails if an entity has changed
    since the lookup. With `locking` the caller has begun a transaction, and the lookup locks the entities.

    Large batches share `large_write`, so that they write one after the other: each keeps the log until it is committed,
    and a group of small ones behind two of them would wait for both.
    """

    connection: Connection
    log: Log
    rows: Mapping[str, TableMapping]
    documents: Serializer
    at: datetime
    locking: bool
    thread: Executor
    large_write: asyncio.Lock

    async def carry_out(self, batches: Sequence[CommandBatch]) -> list[Response]:
        """Return the response of each batch. Raises `Conflict`; then nothing has changed."""
        lease = batches[0].lease  # a batch with a lease comes alone
        if lease is not None and not await is_held(self.connection, lease):
            return [Outcome(results=(), request_id=batches[0].request_id)]
        answers = await self._replays(batches)
        undecided = {index: each for index, each in enumerate(batches) if index not in answers}
        commands = [command for each in undecided.values() for command in each.commands]
        is_large = len(commands) >= LARGE
        compute = self._in_thread if is_large else _compute
        ids = await _new_ids(self.connection, commands, dry_run=batches[0].dry_run)
        first = await self._state(commands, ids)
        decisions = await compute(lambda: self._decisions(undecided, first))
        explained = await self._explained(first, decisions)
        written = await compute(
            lambda: {
                index: recorded(decision, batches[index], self.at, self.documents)
                for index, decision in explained.items()
            }
        )
        outcomes = {index: outcome for index, (outcome, _) in written.items()}
        real = [index for index, each in undecided.items() if not each.dry_run]
        plan = WritePlan(
            current=first.current,
            final={ref: after for index in real for ref, after in decisions[index].final.items()},
            changes=[change for index in real for change in written[index][1]],
            stored_outcomes=[row for index in real for row in self._stored_outcomes(batches[index], outcomes[index])],
            unique_values=values_to_own(commands, first.current),
            deliveries=[each for index in real if outcomes[index].failed is None for each in batches[index].deliveries],
            lease=lease,
            follow=await self._start(batches),
        )
        statement = await compute(lambda: statement_of(self.rows, plan))
        if statement.writes_anything:
            # A group of small ones waits for nobody, nor does one that holds locks: whoever writes may wait for those.
            takes_turn = is_large and len(batches) == 1 and not self.locking
            async with self.large_write if takes_turn else nullcontext():
                if not await self.connection.fetchval(statement.sql(), *statement.values):
                    raise Conflict
        return [answers.get(index) or outcomes[index] for index in range(len(batches))]

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    def _decisions(self, batches: Mapping[int, CommandBatch], state: State) -> dict[int, Decision]:
        """Decide each batch on the result of those before it."""
        decisions: dict[int, Decision] = {}
        for index, batch in batches.items():
            decisions[index] = decide(batch, state, self.at)
            state = state.after(decisions[index].final)
        return decisions

    async def _start(self, batches: Sequence[CommandBatch]) -> int | None:
        """Return the change after which a new webhook starts, if a batch names one; such a batch comes alone."""
        cursor = next((each.follow for each in batches if each.follow is not None), None)
        return None if cursor is None else await self.log.number(self.connection, cursor)

    async def _replays(self, batches: Sequence[CommandBatch]) -> dict[int, Response]:
        """Return the responses of the batches whose idempotency keys were used before."""
        keys = {(each.key.caller, each.key.name): index for index, each in enumerate(batches) if each.key}
        if not keys:
            return {}
        asked = json([{"caller": caller, "name": name} for caller, name in keys])
        kept = await self.connection.fetch(_OUTCOMES, asked)
        if any(row["expires_at"] <= self.at for row in kept):
            await self.connection.execute(_EXPIRED, asked, self.at)
        answers: dict[int, Response] = {}
        for row in kept:
            index = keys[row["caller"], row["name"]]
            key = batches[index].key
            if key is not None and row["expires_at"] > self.at:
                same = row["fingerprint"] == key.fingerprint
                answers[index] = Replay(outcome=read_outcome(row["receipt"])) if same else KeyReused()
        return answers

    async def _state(self, commands: Sequence[Command], ids: Ids) -> State:
        refs = named(commands)
        current = await self._deleted([ref for ref, needs_deleted in refs.items() if needs_deleted])
        wanted = values_to_own(commands, current)
        owners: dict[UniqueValue, int] = {}
        for entity_type in sorted(
            {each[0] for each in refs} | {each[0] for each in wanted}, key=lambda each: each.name
        ):
            mine = {value for value in wanted if value[0] is entity_type}
            for id, entity in await self._living(entity_type, [id for each, id in refs if each is entity_type], mine):
                current[entity_type, id] = entity
                owners |= {value: id for value in mine if getattr(entity, value[1]) == value[2]}
        return State(current=current, owners=owners, new_id=lambda entity_type: next(ids[entity_type]))

    async def _living(
        self, entity_type: EntityType[Any], ids: list[int], wanted: set[UniqueValue]
    ) -> list[tuple[int, Any]]:
        """Return the entities of one type that have these ids or own these values."""
        rows = self.rows[entity_type.name]
        locking = " FOR UPDATE" if self.locking else ""
        ids = [id for id in ids if id <= MAX_ID]
        if wanted:
            values = [value for _, _, value in wanted]
            found = await self.connection.fetch(rows.find_with_owners + locking, ids, values)
        else:
            found = await self.connection.fetch(rows.find + locking, ids)
        return [(id, self.documents.read(entity_type, document)) for id, document in found]

    async def _deleted(self, refs: Sequence[Ref]) -> dict[Ref, Current]:
        if not refs:
            return {}
        changes = await self.log.last(self.connection, refs)
        return {
            (each.entity_type, each.id): Deleted(self.documents.read(each.entity_type, each.record.document))
            for each in changes
            if each.action is Action.DELETED  # otherwise it was restored, and `_living` finds it
        }

    async def _explained(self, state: State, decisions: Mapping[int, Decision]) -> dict[int, Decision]:
        """Return the decisions; failed preconditions name the changes, including those of earlier batches."""
        asked = {each for decision in decisions.values() for each in unexplained(decision)}
        known: list[Change[Any] | Decided] = []
        if asked:
            logged = await self.log.since(self.connection, asked)
            known = [each for each in logged if each.version <= _version(state, each)]
        told: dict[int, Decision] = {}
        for index, decision in decisions.items():
            kept = {each: [change for change in known if _ref(change) == each[0]] for each in unexplained(decision)}
            told[index] = explained(decision, kept)
            if asked:
                known += decision.changes
        return told

    def _stored_outcomes(self, batch: CommandBatch, outcome: Outcome) -> list[dict[str, Any]]:
        key = batch.key
        if key is None or (remembered := kept(outcome, batch)) is None:
            return []
        stored = write_outcome(remembered)
        row = {"caller": key.caller, "name": key.name, "fingerprint": key.fingerprint, "receipt": stored}
        return [{**row, "expires_at": self.at + OUTCOMES_KEPT}]


async def _compute(work: Callable[[], T]) -> T:
    """Do the work at once."""
    return work()


def _ref(change: Change[Any] | Decided) -> Ref:
    return change.entity_type, change.id


def _version(state: State, change: Change[Any]) -> int:
    current = state.current[_ref(change)]
    return 0 if current is None else left(current).version
