"""Deciding a whole submission: a pure function from what stands to what shall be written.

Every store takes the same way: it loads what the commands name, calls `decide`, and writes the decision in the same
transaction. One command or a thousand, atomic or not, rehearsed or real, is the same path.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, evolve, field, frozen

from domain.changes import Action, Change, Cursor, changed_since, differing
from domain.commands import Command, Deleted
from domain.deliveries import Delivery
from domain.errors import AlreadyExists, DomainError, PreconditionFailed
from domain.kinds import Entity, Kind
from domain.records import Documents, Record

MAX_COMMANDS = 1000

Ref = tuple[Kind[Any], int]
"""Which entity."""

Claim = tuple[Kind[Any], str, Any]
"""A value of a unique field."""


@frozen(kw_only=True)
class Done:
    """A command was carried out, and left `record`. `change` is None where nothing differed."""

    record: Record
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
class Key:
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
class Submission:
    """Commands to carry out in one transaction.

    Atomic: one refusal undoes all. Otherwise each stands alone. A `rehearsal` decides and writes nothing, not even
    its key. `deliveries` are put into the log of deliveries with it, unless all was undone; one that is pending there
    already only gets its new time. `follow` is the position of webhooks that it makes, by default the end of the log.
    """

    commands: tuple[Command, ...]
    request_id: str
    atomic: bool = True
    rehearsal: bool = False
    key: Key | None = None
    deliveries: tuple[Delivery, ...] = ()
    follow: Cursor | None = None


@frozen(kw_only=True)
class Found:
    """What a store found of what a submission names: entities, deleted ones, and who holds which unique value."""

    standing: Mapping[Ref, Any] = Factory(dict)
    holders: Mapping[Claim, int] = Factory(dict)

    def after(self, decision: "Decision") -> "Found":
        """Return what will be found once a decision, which was taken on this, has been carried out."""
        holders = dict(self.holders)
        for ref in decision.final:
            for claim in _claims(ref[0], self.standing.get(ref)):
                holders.pop(claim, None)
        for (kind, id), entity in decision.final.items():
            holders |= dict.fromkeys(_claims(kind, entity), id)
        return Found(standing={**self.standing, **decision.final}, holders=holders)


@frozen(kw_only=True)
class Decision:
    """What a store shall do: report the outcome, leave each entity as in `final`, and log the changes in order.

    `undone` are the changes before a failure that undid all: no store writes them, but what failed was decided on them.
    """

    outcome: Outcome
    final: Mapping[Ref, Entity | Deleted[Any]] = Factory(dict)
    changes: tuple[Change[Any], ...] = ()
    undone: tuple[Change[Any], ...] = ()


def named(commands: Iterable[Command]) -> dict[Ref, bool]:
    """Return which entities the commands name, and of each whether a deleted one must be looked up."""
    refs: dict[Ref, bool] = {}
    for command in commands:
        if command.id is not None:
            ref = command.kind, command.id
            refs[ref] = refs.get(ref, False) or command.revives
    return refs


def claimed(commands: Iterable[Command], standing: Mapping[Ref, Any]) -> set[Claim]:
    """Return the unique values that the commands may take: those they set, and those of what they restore."""
    claims: set[Claim] = set()
    for command in commands:
        for unique in command.kind.unique:
            values = getattr(command, "values", {})
            gone = standing.get((command.kind, command.id)) if command.revives and command.id is not None else None
            value = getattr(gone.entity, unique.name) if isinstance(gone, Deleted) else values.get(unique.name)
            if value is not None:
                claims.add((command.kind, unique.name, value))
    return claims


def decide(
    submission: Submission,
    found: Found,
    *,
    new_id: Callable[[Kind[Any]], int],
    at: datetime,
    documents: Documents,
) -> Decision:
    """Decide every command in turn, each seeing what those before it did."""
    standing = dict(found.standing)
    holders = dict(found.holders)
    results: list[Result] = []
    changes: list[Change[Any]] = []
    final: dict[Ref, Any] = {}
    for index, command in enumerate(submission.commands):
        id = new_id(command.kind) if command.id is None else command.id
        ref = command.kind, id
        before = standing.get(ref)
        try:
            after = command.decide(before, id, at)
            _check_unique(command.kind, after, holders)
        except DomainError as error:
            results.append(error)
            if submission.atomic:
                return Decision(outcome=Outcome(results=tuple(results), failed=index), undone=tuple(changes))
            continue
        left = after.entity if isinstance(after, Deleted) else after
        record = Record(id, left.version, documents.write(command.kind, left))
        if after is before:
            results.append(Done(record=record, change=None))
            continue
        action, changed = _difference(command.kind, before, after)
        change = Change(
            kind=command.kind, action=action, record=record, changed=changed, at=at, request_id=submission.request_id
        )
        _pass_on(command.kind, before, after, holders)
        standing[ref] = final[ref] = after
        changes.append(change)
        results.append(Done(record=record, change=change))
    return Decision(outcome=Outcome(results=tuple(results)), final=final, changes=tuple(changes))


def unexplained(outcome: Outcome) -> set[tuple[Ref, int]]:
    """Return the entities, each with the version that was expected, for which a precondition failed."""
    return {
        ((result.kind, result.current.id), result.expected)
        for result in outcome.results
        if isinstance(result, PreconditionFailed)
    }


def explained(decision: Decision, kept: Mapping[tuple[Ref, int], Iterable[Change[Any]]]) -> Outcome:
    """Return the outcome with every failed precondition saying what changed since the version that was expected.

    `kept` holds, for each that is `unexplained`, the changes of that entity in the log from before this submission.
    """
    if not kept:
        return decision.outcome

    def explain(result: Result) -> Result:
        if not isinstance(result, PreconditionFailed):
            return result
        ref = result.kind, result.current.id
        here = (change for change in (*decision.changes, *decision.undone) if (change.kind, change.record.id) == ref)
        changes = (*kept[ref, result.expected], *here)
        return evolve(result, changed=changed_since(result.kind, changes, result.expected, now=result.current.version))

    return evolve(decision.outcome, results=tuple(map(explain, decision.outcome.results)))


def _check_unique(kind: Kind[Any], after: Any, holders: Mapping[Claim, int]) -> None:
    for claim in _claims(kind, after):
        holder = holders.get(claim, after.id)
        if holder != after.id:
            _, name, value = claim
            raise AlreadyExists(kind=kind.name, field=name, value=value, holder=holder)


def _pass_on(kind: Kind[Any], before: Any, after: Any, holders: dict[Claim, int]) -> None:
    """Release the unique values that an entity gave up, and note those that it took."""
    for claim in _claims(kind, before):
        holders.pop(claim, None)
    for claim in _claims(kind, after):
        holders[claim] = after.id


def _claims(kind: Kind[Any], entity: Any) -> list[Claim]:
    """Return the unique values that an entity holds; a deleted one holds none."""
    if not kind.unique or not isinstance(entity, Entity):
        return []
    values = ((unique.name, getattr(entity, unique.name)) for unique in kind.unique)
    return [(kind, name, value) for name, value in values if value is not None]


def _difference(kind: Kind[Any], before: Any, after: Any) -> tuple[Action, tuple[str, ...]]:
    """Return what was done, and which writable fields differ now."""
    if isinstance(after, Deleted):
        return Action.DELETED, ()
    if isinstance(before, Entity):
        return Action.UPDATED, differing(kind, before, after)
    return Action.CREATED, kind.writable_names
