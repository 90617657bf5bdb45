"""Serialization of exports: the formats, each as a text that grows part by part."""

from abc import abstractmethod
from typing import Any, Protocol

from adapters.serialization.lines import change_lines, lines, named_lines
from adapters.serialization.tables import CsvTable
from domain.entity_type import EntityType
from domain.snapshot import Entities
from domain.use_cases.export import Entries, Part


class ExportFormat(Protocol):
    """Writes an export as text."""

    @property
    @abstractmethod
    def head(self) -> str:
        """What comes before all parts."""

    @abstractmethod
    def write(self, part: Part) -> str:
        """Return the text of a part."""


class CsvExport(ExportFormat):
    """The entities of one type as a table."""

    def __init__(self, entity_type: EntityType[Any]) -> None:
        self._table = CsvTable(entity_type)

    @property
    def head(self) -> str:
        return self._table.header

    def write(self, part: Part) -> str:
        assert isinstance(part, Entities), "a table has no changes"
        return self._table.rows(part.records)


class NdjsonExport(ExportFormat):
    """One entity or change on each line. If they may be of several types, each line names its own."""

    def __init__(self, *, named: bool) -> None:
        self._named = named

    @property
    def head(self) -> str:
        return ""

    def write(self, part: Part) -> str:
        match part:
            case Entries(entries=entries):
                return change_lines(entries)
            case Entities(entity_type=entity_type, records=records) if self._named:
                return named_lines(entity_type, records)
            case Entities(records=records):
                return lines(records)
