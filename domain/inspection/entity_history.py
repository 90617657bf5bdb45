"""The history of one entity: its changes as far as the log has them, and its row, checked against each other."""

from collections.abc import Callable

from domain.changes import Action, Change, differing
from domain.entity_type import Entity, EntityType
from domain.inspection.findings import Finding, Kind, differs
from domain.inspection.ports import Logged, Row
from domain.stored_entity import Serializer

Tell = Callable[[Finding], None]

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What reading a document may raise if it is no document of an entity."""

_BEGINNINGS = {Action.CREATED, Action.RESTORED}  # a restore had the type of a creation once


class EntityHistory:
    """Takes the changes of an entity in the order of their versions, and then its row, if it has one."""

    def __init__(
        self, entity_type: EntityType[Entity], id: int, *, is_log_whole: bool, serializer: Serializer, tell: Tell
    ) -> None:
        """`is_log_whole` means that no change was ever purged, so that every history begins in the log."""
        self.name = f"{entity_type.name} {id}"
        self._entity_type = entity_type
        self._is_log_whole = is_log_whole
        self._serializer = serializer
        self._tell = tell
        self._last: Logged | None = None
        self._read: tuple[int, Entity | None] | None = None  # the entity of the change with this number

    def log(self, logged: Logged) -> None:
        """Take the next change, and check that it follows from the one before."""
        if logged.fault:
            self._fault(logged, f"of {self.name} {logged.fault}")
        if self._last is None:
            self._begin(logged)
        else:
            self._follow(self._last, logged)
        self._last = logged

    def stand(self, row: Row | None) -> Entity | None:
        """Take the row, and compare it with the last change. Return its entity, or None if there is none."""
        last = self._last
        if last is None and self._is_log_whole:
            self._tell(Finding(Kind.LAST_CHANGE, self.name, "has no change in the log, though none was ever purged"))
        if last is not None and last.change is not None:
            self._compare(last.number, last.change, row)
            if row is None or row.document != last.change.record.document:
                self._entity_of(last)  # tells if it cannot be read
        return None if row is None else self._entity(self.name, row.document, row.id, row.version)

    def _begin(self, logged: Logged) -> None:
        if logged.version > 1 and self._is_log_whole:
            self._fault(logged, f"makes version {logged.version} of {self.name}, and the changes before are missing")
        elif logged.change is not None and logged.version == 1 and logged.change.action is not Action.CREATED:
            self._fault(logged, f"makes version {logged.version} of {self.name}, and its type is {logged.change.type}")

    def _follow(self, last: Logged, logged: Logged) -> None:
        if logged.version != last.version + 1:
            what = (
                f"makes version {logged.version} of {self.name}, and the one before, {last.number}, made {last.version}"
            )
            self._fault(logged, what)
            return
        if logged.number < last.number:
            self._fault(logged, f"makes version {logged.version} of {self.name}, and {last.number} made the one before")
        if last.change is None or logged.change is None:
            return
        if (logged.change.action in _BEGINNINGS) is not (last.change.action is Action.DELETED):
            was = f"the one before, {last.number}, {last.change.type}"
            self._fault(logged, f"of {self.name} has the type {logged.change.type}, and {was}")
        before, after = self._entity_of(last), self._entity_of(logged)
        if before is not None and after is not None:
            self._compare_states(logged, logged.change, before, after)

    def _compare_states(self, logged: Logged, change: Change[Entity], before: Entity, after: Entity) -> None:
        where = f"change {logged.number}"
        really = differing(before, after) if change.action is Action.UPDATED else ()
        if change.action is Action.UPDATED and set(change.changed) != set(really):
            self._tell(differs(Kind.CHAIN, where, "changed", " ".join(change.changed), " ".join(really)))
        if after.created_at != before.created_at:
            self._tell(differs(Kind.CHAIN, where, "created_at", str(after.created_at), str(before.created_at)))
        if after.updated_at < before.updated_at:
            self._fault(
                logged, f"of {self.name} has updated_at {after.updated_at}, and before it was {before.updated_at}"
            )

    def _compare(self, number: int, change: Change[Entity], row: Row | None) -> None:
        """Compare the row with the last change, of that number."""
        if row is None:
            if change.action is not Action.DELETED:
                self._contradict(f"has no row, though its last change, {number}, has the type {change.type}")
        elif change.action is Action.DELETED:
            self._contradict(f"has a row, though its last change, {number}, deleted it")
        elif row.version != change.version:
            self._contradict(f"has version {row.version}, and its last change, {number}, made version {change.version}")
        elif row.document != change.record.document:
            self._contradict(f"differs from its last change, {number}, in {self._differing(row, change)}")

    def _differing(self, row: Row, change: Change[Entity]) -> str:
        documents = (row.document, change.record.document)
        try:
            one, other = (self._serializer.read(self._entity_type, each) for each in documents)
        except UNREADABLE:
            return "its document"
        names = [name for name in self._entity_type.by_name if getattr(one, name) != getattr(other, name)]
        return ", ".join(names) or "the form of its document"

    def _entity_of(self, logged: Logged) -> Entity | None:
        """Return the entity that a change left, or None."""
        if logged.change is None:
            return None
        if self._read is None or self._read[0] != logged.number:
            document = logged.change.record.document
            entity = self._entity(f"change {logged.number}", document, logged.id, logged.version)
            self._read = logged.number, entity
        return self._read[1]

    def _entity(self, where: str, document: str, id: int, version: int) -> Entity | None:
        """Return the entity of a document; tell if there is none, or if it names another id or version."""
        try:
            entity = self._serializer.read(self._entity_type, document)
        except UNREADABLE as error:
            self._tell(Finding(Kind.DOCUMENT, where, f"has a document that cannot be read: {error}"))
            return None
        for column, has, should in (("id", entity.id, id), ("version", entity.version, version)):
            if has != should:
                self._tell(differs(Kind.DOCUMENT, where, f"{column} in the document", has, should))
        return entity

    def _fault(self, logged: Logged, what: str) -> None:
        self._tell(Finding(Kind.CHAIN, f"change {logged.number}", what))

    def _contradict(self, what: str) -> None:
        self._tell(Finding(Kind.LAST_CHANGE, self.name, what))
