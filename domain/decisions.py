"""Deciding a whole batch of commands: a pure function from the state to a decision.

Every store takes the same steps: it loads the entities that the commands name, calls `decide`, and writes the decision,
all in one transaction. The path is the same for one command or a thousand, atomic or not, dry run or not.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NewType

from attrs import Factory, evolve

from domain.access.access_key import Actor
from domain.changes import Action, Change, Changed, Cursor, changed_since, differing
from domain.commands import NOBODY, Command
from domain.deliveries import Delivery, Lease
from domain.entity_type import Deleted, Entity, EntityType
from domain.errors import AlreadyExists, DomainError, NotFound, PreconditionFailed
from domain.state import Current, Ref, State, UniqueValue, left, ref_of, unique_values
from domain.stored_entity import Serializer, StoredEntity, stored
from domain.trace import TraceContext
from domain.upsert import owner_of
from domain.value_object import value_object

MAX_COMMANDS = 1000


@value_object(kw_only=True)
class Done:
    """A command was carried out, and left `record`. `action` is None if nothing changed."""

    record: StoredEntity
    action: Action | None


Result = Done | DomainError

_BRIEFLY = {action: Done(record=StoredEntity(NOBODY, 0, ""), action=action) for action in (None, *Action)}
"""Stand for commands that were carried out, where nobody will ask what they left."""


@value_object(kw_only=True)
class Outcome:
    """The results of a batch, command by command.

    If failures undid all, `failed` is the index of the first command that failed. The results behind it show what the
    other commands would have done without those that failed. `position` is the log position of the batch's webhooks,
    and `deliveries` are the stored deliveries.
    """

    results: tuple[Result, ...]
    request_id: str
    failed: int | None = None
    dry_run: bool = False
    position: Cursor | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def is_decided(self) -> bool:
        """Whether the stored state decided it. Otherwise the request alone would get the same refusal again."""
        refusal = None if self.failed is None else self.results[self.failed]
        return not isinstance(refusal, DomainError) or refusal.decided


@value_object(kw_only=True)
class IdempotencyKey:
    """A caller's name for a request; the outcome of a decided request is kept under it."""

    caller: str
    name: str
    fingerprint: bytes  # of the request; the same key with another one is refused


EarlierAnswer = NewType("EarlierAnswer", bytes)
"""The form of an earlier version: an answer of the protocol, as it was sent, in place of an outcome."""


@value_object(kw_only=True)
class Replay:
    """The outcome of an earlier request with the same key, as it was kept."""

    outcome: Outcome | EarlierAnswer


@value_object(kw_only=True)
class CommandBatch:
    """Commands to carry out in one transaction.

    Atomic: one refusal undoes all. Otherwise each command stands alone. A `dry_run` decides and writes nothing, not
    even its key. `deliveries` are stored with the batch, unless all was undone; one that is already pending only gets
    its new time. `follow` is the position of new webhooks, by default the end of the log. `actor` made the changes, in
    the course of `trace`.

    The outcome of a `brief` batch has no documents. Its key keeps only which commands were refused, and only if the
    batch took effect.

    A batch with a `lease` takes effect only while its owner holds it; `deliveries` then replace those with their ids.
    Without the lease nothing is decided, and the outcome has no results.
    """

    commands: tuple[Command, ...]
    request_id: str
    atomic: bool = True
    dry_run: bool = False
    key: IdempotencyKey | None = None
    deliveries: tuple[Delivery, ...] = ()
    follow: Cursor | None = None
    lease: Lease | None = None
    actor: Actor | None = None
    trace: TraceContext | None = None
    brief: bool = False


@value_object(kw_only=True)
class Decided:
    """The effect of a command: it leaves `entity`, or deletes it. `action` is None if nothing changes."""

    entity: Entity
    action: Action | None
    reason: str | None = None  # in the words of the caller
    changed: tuple[str, ...] = ()  # the writable fields that differ from before

    @property
    def id(self) -> int:
        """Name the entity."""
        return self.entity.id

    @property
    def version(self) -> int:
        """Return the version of the entity."""
        return self.entity.version

    @property
    def entity_type(self) -> EntityType[Entity]:
        """Return the type of the entity."""
        return self.entity.entity_type


@value_object(kw_only=True)
class Decision:
    """The work of a store: report the results, leave each entity as in `final`, and log the changes in order.

    If a failure undid all, `failed` is its index among the results.
    """

    results: tuple[Decided | DomainError, ...]
    failed: int | None = None
    final: Mapping[Ref, Entity | Deleted[Entity]] = Factory(dict)
    changes: tuple[Decided, ...] = ()


def named(commands: Iterable[Command]) -> dict[Ref, bool]:
    """Return the entities that the commands name, and for each whether to look up a deleted one."""
    refs: dict[Ref, bool] = {}
    for command in commands:
        if command.id is not None:
            ref = command.entity_type, command.id
            refs[ref] = refs.get(ref, False) or command.needs_deleted
    return refs


def values_to_own(commands: Iterable[Command], current: Mapping[Ref, Current]) -> set[UniqueValue]:
    """Return the unique values that the commands may take: those they set, and those of entities they restore."""
    values: set[UniqueValue] = set()
    for command in commands:
        if not command.entity_type.unique:
            continue
        gone = current.get((command.entity_type, command.id)) if command.needs_deleted and command.id else None
        if isinstance(gone, Deleted):
            values.update(unique_values(gone.entity))
        else:
            set_to = getattr(command, "values", {})
            names = (each.name for each in command.entity_type.unique)
            values.update((command.entity_type, name, set_to[name]) for name in names if set_to.get(name) is not None)
    return values


def decide(batch: CommandBatch, state: State, at: datetime) -> Decision:
    """Decide every command in turn; each sees the effects of those before it."""
    current, owners = dict(state.current), dict(state.owners)
    now = State(current=current, owners=owners, new_id=state.new_id)
    results: list[Decided | DomainError] = []
    changes: list[Decided] = []
    final: dict[Ref, Entity | Deleted[Entity]] = {}
    failed: int | None = None
    for index, command in enumerate(batch.commands):
        try:
            after = command.decide(now, at)
            if command.entity_type.unique:
                _check_unique(after, owners)
        except DomainError as error:
            if batch.atomic:
                failed = index if failed is None else failed
                ref = command.entity_type, command.id or owner_of(command, owners) or NOBODY
                error = _as_it_stays(error, ref, state, is_touched=ref in final)
            results.append(error)
            continue
        ref = ref_of(after)
        before = current.get(ref)
        decided = _difference(before, after, getattr(command, "reason", None))
        results.append(decided)
        if decided.action is not None:
            if command.entity_type.unique:
                _pass_on(before, after, owners)
            current[ref] = final[ref] = after
            changes.append(decided)
    if failed is not None:
        return Decision(results=tuple(results), failed=failed)
    return Decision(results=tuple(results), final=final, changes=tuple(changes))


def unexplained(decision: Decision) -> set[tuple[Ref, int]]:
    """Return the entities, each with the version that was expected, for which a precondition failed."""
    return {
        (ref_of(result.current), result.expected)
        for result in decision.results
        if isinstance(result, PreconditionFailed) and result.expected is not None
    }


def explained(decision: Decision, kept: Mapping[tuple[Ref, int], Iterable[Changed]]) -> Decision:
    """Return the decision; each failed precondition now names the fields that changed since the expected version.

    `kept` holds, for each that is `unexplained`, the changes of that entity in the log from before this batch.
    """
    if not kept:
        return decision

    def explain(result: Decided | DomainError) -> Decided | DomainError:
        if not isinstance(result, PreconditionFailed) or result.expected is None:
            return result
        ref = ref_of(result.current)
        here = (each for each in decision.changes if ref_of(each.entity) == ref)
        changes = (*kept[ref, result.expected], *here)
        return evolve(result, changed=changed_since(ref[0], changes, result.expected, now=result.current.version))

    return evolve(decision, results=tuple(map(explain, decision.results)))


def recorded(
    decision: Decision, batch: CommandBatch, at: datetime, serializer: Serializer
) -> tuple[Outcome, tuple[Change[Entity], ...]]:
    """Return the results for the caller and the changes for the log; every entity is serialized once for both."""
    changes: list[Change[Entity]] = []
    results: list[Result] = []
    for each in decision.results:
        if isinstance(each, Decided):
            record = stored(each.entity, serializer)
            results.append(_BRIEFLY[each.action] if batch.brief else Done(record=record, action=each.action))
            if each.action is not None:
                change = Change(
                    entity_type=each.entity_type,
                    action=each.action,
                    record=record,
                    changed=each.changed,
                    at=at,
                    request_id=batch.request_id,
                    reason=each.reason,
                    actor=batch.actor,
                    trace=batch.trace,
                )
                changes.append(change)
        elif isinstance(each, PreconditionFailed):
            results.append(evolve(each, current=stored(each.current, serializer)))
        else:
            results.append(each)
    outcome = Outcome(
        results=tuple(results),
        request_id=batch.request_id,
        failed=decision.failed,
        dry_run=batch.dry_run,
        position=batch.follow,
        deliveries=batch.deliveries,
    )
    return outcome, tuple(changes) if decision.failed is None else ()


def kept(outcome: Outcome, batch: CommandBatch) -> Outcome | None:
    """Return what the idempotency key of a batch keeps of its outcome; None if the batch is to be decided again."""
    if not batch.brief:
        return outcome if outcome.is_decided else None
    if outcome.failed is not None:
        return None
    refused = [index for index, each in enumerate(outcome.results) if isinstance(each, DomainError)]
    results = outcome.results[: refused[-1] + 1] if refused else ()
    return evolve(outcome, results=tuple(each if isinstance(each, DomainError) else _BRIEFLY[None] for each in results))


def _as_it_stays(error: DomainError, ref: Ref, state: State, *, is_touched: bool) -> DomainError:
    """Return a refusal that undoes all, in terms of the stored state, because nobody ever saw the undone versions."""
    entity_type, id = ref
    match error:
        case PreconditionFailed() if is_touched:
            entity = state.current.get(ref)
            if not isinstance(entity, Entity):
                return NotFound(entity_type=entity_type.name, id=id)
            return evolve(error, current=entity, undone=entity.version == error.expected)
        case NotFound() if is_touched:
            return evolve(error, undone=True)
        case AlreadyExists(field=field, value=value, owner=owner):
            return evolve(error, undone=state.owners.get((entity_type, field, value)) != owner)
        case _:
            return error


def _check_unique(after: Entity | Deleted[Entity], owners: Mapping[UniqueValue, int]) -> None:
    for value in unique_values(after):
        owner = owners.get(value)
        if owner is not None and owner != left(after).id:
            entity_type, name, taken = value
            raise AlreadyExists(entity_type=entity_type.name, field=name, value=taken, owner=owner)


def _pass_on(before: Current, after: Entity | Deleted[Entity], owners: dict[UniqueValue, int]) -> None:
    """Release the unique values that an entity gave up, and note those that it took."""
    for value in unique_values(before):
        owners.pop(value, None)
    for value in unique_values(after):
        owners[value] = left(after).id


def _difference(before: Current, after: Entity | Deleted[Entity], reason: str | None) -> Decided:
    """Return the action, and the writable fields that changed."""
    if isinstance(after, Deleted):
        return Decided(entity=after.entity, action=Action.DELETED, reason=reason)
    if after is before:
        return Decided(entity=after, action=None)
    if isinstance(before, Entity):
        return Decided(entity=after, action=Action.UPDATED, reason=reason, changed=differing(before, after))
    action = Action.RESTORED if isinstance(before, Deleted) else Action.CREATED
    return Decided(entity=after, action=action, reason=reason, changed=after.entity_type.writable_names)
