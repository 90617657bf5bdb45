"""The port that reads a store without relying on what it holds.

An export fails at the first row that it cannot read. An inspection goes on, and says what is wrong with that row.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple, Protocol

from attrs import frozen

from domain.changes import Change
from domain.entity_type import Entity, EntityType
from domain.inspection.findings import Finding, Unchecked
from domain.snapshot import Metadata, Part


class Row(NamedTuple):
    """The row of a current entity. `columns` are what `Inspection.misfits` compares with the entity."""

    id: int
    version: int
    document: str
    columns: Sequence[object]


class Logged(NamedTuple):
    """A row of the log. A row that holds no change has a `fault` in its place, such as "has no known action"."""

    number: int
    id: int
    version: int
    change: Change[Entity] | None
    fault: str = ""


@frozen(kw_only=True)
class LogFacts:
    """The single facts of a store, the name of its log, and the number of its newest change."""

    name: str
    newest: int
    metadata: Metadata

    @property
    def is_log_whole(self) -> bool:
        """Tell whether no change was ever purged, as far as is known.

        A log that got its numbers late may have been purged before that; its former cursors are no numbers.
        """
        return self.metadata.forgotten == 0 and None not in self.metadata.logs.values()


class Unreadable(Exception):
    """The rest of a table cannot be read."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


class Inspection(Protocol):
    """Reads a store at one moment, unaffected by later writes, and changes nothing.

    Whatever is stored, no method raises another error for it than `Unreadable`.
    """

    @abstractmethod
    async def size(self) -> int:
        """Return how many entities and changes there are. Raises `Unreadable`."""

    @abstractmethod
    def structure(self) -> AsyncIterator[Finding | Unchecked]:
        """Check all but the content of rows: pages, tables, columns, constraints, indexes, the search index."""

    @abstractmethod
    async def facts(self) -> LogFacts:
        """Return the single facts. Raises `Unreadable`."""

    @abstractmethod
    def rows(self, entity_type: EntityType[Entity]) -> AsyncIterator[Sequence[Row]]:
        """Return the rows of the current entities of a type, in batches, by ascending id. Raises `Unreadable`."""

    @abstractmethod
    def misfits(self, entity_type: EntityType[Entity], row: Row, entity: Entity) -> Iterable[Finding]:
        """Compare the columns of a row with the entity that its document holds."""

    @abstractmethod
    def changes(self, entity_type: EntityType[Entity] | None) -> AsyncIterator[Sequence[Logged]]:
        """Return the kept changes of a type, in batches, by ascending id and version.

        Without a type, return those that are of no known type. Raises `Unreadable`.
        """

    @abstractmethod
    def rest(self) -> AsyncIterator[Part | Finding]:
        """Return the parts of a snapshot that follow the changes, and what of them cannot be read."""
