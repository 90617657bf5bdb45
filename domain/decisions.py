"""Deciding a whole submission: a pure function from what stands to what shall be written.

Every store takes the same way: it loads what the commands name, calls `decide`, and writes the decision in the same
transaction. One command or a thousand, atomic or not, rehearsed or real, is the same path.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, evolve, field, frozen

from domain.access.access_key import Actor
from domain.changes import Action, Change, Cursor, changed_since, differing
from domain.commands import Command, Deleted
from domain.deliveries import Delivery
from domain.entity_type import Entity, EntityType
from domain.errors import AlreadyExists, DomainError, NotFound, PreconditionFailed
from domain.stored_entity import Serializer, StoredEntity

MAX_COMMANDS = 1000

Ref = tuple[EntityType[Any], int]
"""Which entity."""

UniqueValue = tuple[EntityType[Any], str, Any]
"""A value of a unique field."""


@frozen(kw_only=True)
class Done:
    """A command was carried out, and left `record`. `change` is None where nothing differed."""

    record: StoredEntity
    change: Change[Any] | None


Result = Done | DomainError


@frozen(kw_only=True)
class Outcome:
    """What became of a submission, command by command.

    Where a failure undid all, `failed` is the index of the command whose result, the last one, is that error.
    """

    results: tuple[Result, ...]
    failed: int | None = None


@frozen(kw_only=True)
class IdempotencyKey:
    """An idempotency key with what is needed to keep the outcome under it.

    `record` turns an outcome into the receipt that is kept, or into None for an outcome not worth keeping. It is
    called inside the transaction, so it must be quick and pure.
    """

    caller: str
    name: str
    fingerprint: bytes  # of the request; the same key with another one is refused
    record: Callable[[Outcome], bytes | None] = field(eq=False)


@frozen(kw_only=True)
class Replay:
    """The outcome was decided before: here is the receipt that was kept then."""

    receipt: bytes


@frozen(kw_only=True)
class CommandBatch:
    """Commands to carry out in one transaction.

    Atomic: one refusal undoes all. Otherwise each stands alone. A `rehearsal` decides and writes nothing, not even
    its key. `deliveries` are put into the log of deliveries with it, unless all was undone; one that is pending there
    already only gets its new time. `follow` is the position of webhooks that it makes, by default the end of the log.
    `actor` made the changes.
    """

    commands: tuple[Command, ...]
    request_id: str
    atomic: bool = True
    dry_run: bool = False
    key: IdempotencyKey | None = None
    deliveries: tuple[Delivery, ...] = ()
    follow: Cursor | None = None
    actor: Actor | None = None


@frozen(kw_only=True)
class Found:
    """What a store found of what a submission names: entities, deleted ones, and who holds which unique value."""

    current: Mapping[Ref, Any] = Factory(dict)
    holders: Mapping[UniqueValue, int] = Factory(dict)

    def after(self, decision: "Decision") -> "Found":
        """Return what will be found once a decision, which was taken on this, has been carried out."""
        holders = dict(self.holders)
        for ref in decision.final:
            for claim in _claims(ref[0], self.current.get(ref)):
                holders.pop(claim, None)
        for (entity_type, id), entity in decision.final.items():
            holders |= dict.fromkeys(_claims(entity_type, entity), id)
        return Found(current={**self.current, **decision.final}, holders=holders)


@frozen(kw_only=True)
class Decision:
    """What a store shall do: report the outcome, leave each entity as in `final`, and log the changes in order."""

    outcome: Outcome
    final: Mapping[Ref, Entity | Deleted[Any]] = Factory(dict)
    changes: tuple[Change[Any], ...] = ()


def named(commands: Iterable[Command]) -> dict[Ref, bool]:
    """Return which entities the commands name, and of each whether a deleted one must be looked up."""
    refs: dict[Ref, bool] = {}
    for command in commands:
        if command.id is not None:
            ref = command.entity_type, command.id
            refs[ref] = refs.get(ref, False) or command.needs_deleted
    return refs


def claimed(commands: Iterable[Command], current: Mapping[Ref, Any]) -> set[UniqueValue]:
    """Return the unique values that the commands may take: those they set, and those of what they restore."""
    claims: set[UniqueValue] = set()
    for command in commands:
        for unique in command.entity_type.unique:
            values = getattr(command, "values", {})
            gone = (
                current.get((command.entity_type, command.id))
                if command.needs_deleted and command.id is not None
                else None
            )
            value = getattr(gone.entity, unique.name) if isinstance(gone, Deleted) else values.get(unique.name)
            if value is not None:
                claims.add((command.entity_type, unique.name, value))
    return claims


def decide(
    submission: CommandBatch,
    found: Found,
    *,
    new_id: Callable[[EntityType[Any]], int],
    at: datetime,
    documents: Serializer,
) -> Decision:
    """Decide every command in turn, each seeing what those before it did."""
    current = dict(found.current)
    holders = dict(found.holders)
    results: list[Result] = []
    changes: list[Change[Any]] = []
    final: dict[Ref, Any] = {}
    for index, command in enumerate(submission.commands):
        id = new_id(command.entity_type) if command.id is None else command.id
        ref = command.entity_type, id
        before = current.get(ref)
        try:
            after = command.decide(before, id, at)
            _check_unique(command.entity_type, after, holders)
        except DomainError as error:
            if submission.atomic:
                results.append(_as_it_stays(error, ref, found, is_touched=ref in final))
                return Decision(outcome=Outcome(results=tuple(results), failed=index))
            results.append(error)
            continue
        left = after.entity if isinstance(after, Deleted) else after
        record = StoredEntity(id, left.version, documents.write(command.entity_type, left))
        if after is before:
            results.append(Done(record=record, change=None))
            continue
        action, changed = _difference(command.entity_type, before, after)
        change = Change(
            entity_type=command.entity_type,
            action=action,
            record=record,
            changed=changed,
            at=at,
            request_id=submission.request_id,
            actor=submission.actor,
        )
        _pass_on(command.entity_type, before, after, holders)
        current[ref] = final[ref] = after
        changes.append(change)
        results.append(Done(record=record, change=change))
    return Decision(outcome=Outcome(results=tuple(results)), final=final, changes=tuple(changes))


def unexplained(outcome: Outcome) -> set[tuple[Ref, int]]:
    """Return the entities, each with the version that was expected, for which a precondition failed."""
    return {
        ((result.entity_type, result.current.id), result.expected)
        for result in outcome.results
        if isinstance(result, PreconditionFailed) and result.expected is not None
    }


def explained(decision: Decision, kept: Mapping[tuple[Ref, int], Iterable[Change[Any]]]) -> Outcome:
    """Return the outcome with every failed precondition saying what changed since the version that was expected.

    `kept` holds, for each that is `unexplained`, the changes of that entity in the log from before this submission.
    """
    if not kept:
        return decision.outcome

    def explain(result: Result) -> Result:
        if not isinstance(result, PreconditionFailed) or result.expected is None:
            return result
        ref = result.entity_type, result.current.id
        here = (change for change in decision.changes if (change.entity_type, change.record.id) == ref)
        changes = (*kept[ref, result.expected], *here)
        return evolve(
            result, changed=changed_since(result.entity_type, changes, result.expected, now=result.current.version)
        )

    return evolve(decision.outcome, results=tuple(map(explain, decision.outcome.results)))


def _as_it_stays(error: DomainError, ref: Ref, found: Found, *, is_touched: bool) -> DomainError:
    """Return a refusal that undoes all in the terms of what is stored, because nobody else ever saw the rest."""
    entity_type, id = ref
    match error:
        case PreconditionFailed() if is_touched:
            stored = found.current.get(ref)
            if not isinstance(stored, Entity):
                return NotFound(entity_type=entity_type.name, id=id)
            return evolve(error, current=stored, undone=stored.version == error.expected)
        case NotFound() if is_touched:
            return evolve(error, undone=True)
        case AlreadyExists(field=field, value=value, holder=holder):
            return evolve(error, undone=found.holders.get((entity_type, field, value)) != holder)
        case _:
            return error


def _check_unique(entity_type: EntityType[Any], after: Any, holders: Mapping[UniqueValue, int]) -> None:
    for claim in _claims(entity_type, after):
        holder = holders.get(claim, after.id)
        if holder != after.id:
            _, name, value = claim
            raise AlreadyExists(entity_type=entity_type.name, field=name, value=value, holder=holder)


def _pass_on(entity_type: EntityType[Any], before: Any, after: Any, holders: dict[UniqueValue, int]) -> None:
    """Release the unique values that an entity gave up, and note those that it took."""
    for claim in _claims(entity_type, before):
        holders.pop(claim, None)
    for claim in _claims(entity_type, after):
        holders[claim] = after.id


def _claims(entity_type: EntityType[Any], entity: Any) -> list[UniqueValue]:
    """Return the unique values that an entity holds; a deleted one holds none."""
    if not entity_type.unique or not isinstance(entity, Entity):
        return []
    values = ((unique.name, getattr(entity, unique.name)) for unique in entity_type.unique)
    return [(entity_type, name, value) for name, value in values if value is not None]


def _difference(entity_type: EntityType[Any], before: Any, after: Any) -> tuple[Action, tuple[str, ...]]:
    """Return what was done, and which writable fields differ now."""
    if isinstance(after, Deleted):
        return Action.DELETED, ()
    if isinstance(before, Entity):
        return Action.UPDATED, differing(entity_type, before, after)
    return Action.CREATED, entity_type.writable_names
