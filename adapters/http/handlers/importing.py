"""Importing a table: rows that others wrote, checked and written as the command does it, some in each request."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from io import StringIO
from itertools import islice
from typing import Any

from attrs import asdict, define, field, frozen

from adapters.http.handlers.submitting import Submitter, only_validates
from adapters.http.requests.bodies import read_object
from adapters.http.requests.request import Request
from adapters.http.responses.responses import Response, json_response
from adapters.serialization.cells import DECIMAL_SIGNS, CellParser
from adapters.serialization.table_rows import TableRows
from adapters.serialization.text_lines import TextLines, Unclosed, Unreadable
from domain.changes import Action
from domain.columns import BadColumns, Columns, check_renamed, read_columns
from domain.commands import Command, Refuse
from domain.decisions import MAX_COMMANDS, Done, Outcome
from domain.entity_type import EntityType
from domain.errors import DomainError, PreconditionRequired, Violations
from domain.merge import Merge, MergeById, MergeByValue
from domain.ports import Writer
from domain.rows import Row, RowParser, RowRules, RowViolation, violations_of
from domain.use_cases.write import carry_out

MAX_TOLD = 1000
"""How many violations are told of all rows together."""

SHOWN_FIRST = 5
"""How many rows are shown as they were read."""

DELIMITERS = (",", ";", "\t", "|")

_TYPES: Mapping[str, tuple[type, str]] = {
    "text": (str, "must be a text"),
    "columns": (dict, "must be an object: the name of a field, or an empty one, by the title of a column"),
    "update": (bool, "must be true or false"),
    "continue": (bool, "must be true or false"),
    "more": (bool, "must be true or false"),
    "line": (int, "must be a whole number"),
}
PARTS = ("text", "delimiter", "decimal", "columns", "match", "update", "continue", "line", "more")


@frozen(kw_only=True)
class ImportRequest:
    """An import that is asked for. `line` is that of the first row after the header; the table may have `more` rows."""

    text: str
    rules: RowRules
    delimiter: str = ","
    decimal: str = "."
    columns: Mapping[str, str]
    continues: bool = False
    line: int | None = None
    more: bool = False


@define(eq=False)
class Table:
    """What was read of a table: as many rows as one transaction takes, each with its command."""

    header: str = ""
    titles: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(factory=dict)  # the titles of the columns of fields
    first: list[list[str | None]] = field(factory=list)
    rows: list[Row] = field(factory=list)
    commands: list[Command] = field(factory=list)
    next_line: int | None = None
    faults: list[RowViolation] = field(factory=list)  # of the table, which nothing can be read of

    def report(self, outcome: Outcome | None) -> dict[str, Any]:
        """Return what became of the rows."""
        results = () if outcome is None else outcome.results
        done = [each for each in results if isinstance(each, Done)]
        refused = [(row, each) for row, each in zip(self.rows, results, strict=False) if isinstance(each, DomainError)]
        errors = [each for row, error in refused for each in violations_of(row, error, self.columns)]
        undone = outcome is not None and outcome.failed is not None
        actions = [] if undone else [each.action for each in done]
        return {
            "rows": len(self.rows),
            "created": actions.count(Action.CREATED),
            "updated": actions.count(Action.UPDATED),
            "unchanged": actions.count(None),
            "refused": len(refused),
            "errors": [asdict(each) for each in (self.faults or errors)[:MAX_TOLD]],
            "omitted": max(0, len(errors) - MAX_TOLD),
            "header": self.header,
            "titles": list(self.titles),
            "first": self.first,
            "keys": [
                {"line": row.line, "field": name, "value": str(value)}
                for row, command in zip(self.rows, self.commands, strict=True)
                for name, value in _keys(command)
            ],
            "next_line": self.next_line,
        }


@frozen(kw_only=True, eq=False)
class Importing:
    """The import of one entity type."""

    entity_type: EntityType[Any]
    writer: Writer
    submitter: Submitter
    max_body: int
    require_if_match: bool

    async def apply(self, request: Request) -> Response:
        """Check the rows in the body, or write them."""
        body, raw = await read_object(request, self.max_body)
        asked = self._parsed(raw)
        table = await request.compute(partial(self._read, asked))
        if table.faults or not table.commands:
            return json_response(table.report(None))
        atomic = not (asked.continues or only_validates(request))
        use_case = partial(carry_out, self.writer, tuple(table.commands), atomic=atomic)
        return await self.submitter.submit(request, body, use_case, lambda each: json_response(table.report(each)))

    def _parsed(self, raw: Mapping[str, Any]) -> ImportRequest:
        """Return what is asked for. Raises `ValidationFailed`."""
        entity_type, violations = self.entity_type, Violations()
        given = {name: value for name, value in raw.items() if value is not None}
        for name in raw:
            if name not in PARTS:
                violations.add(name, "unknown_field", f"is not a field (there are {', '.join(PARTS)})")
        for name, (kind, rule) in _TYPES.items():
            if name in given and type(given[name]) is not kind:
                violations.add(name, "wrong_type", rule)
        if "text" not in given:
            violations.add("text", "required", "is required")
        for name, known in self._choices().items():
            if name in given and given[name] not in known:
                violations.add(name, "not_a_choice", f"must be one of {', '.join(map(repr, known))}")
        if given.get("update") is True and "match" not in given:
            violations.add("update", "required", "needs match, which tells what to edit")
        if type(given.get("line")) is int and given["line"] < 1:
            violations.add("line", "out_of_range", "must be 1 or more")
        columns = given.get("columns", {})
        if isinstance(columns, dict):
            try:
                check_renamed(entity_type, map(str, columns.values()))
            except BadColumns as error:
                violations.add("columns", "unknown_field", f"cannot be understood: {error}")
        if violations.told:
            raise violations.failure()
        options = {name: given[name] for name in ("text", "delimiter", "decimal", "line", "more") if name in given}
        rules = RowRules(entity_type=entity_type, match=given.get("match"), update=given.get("update", False))
        return ImportRequest(rules=rules, columns=columns, continues=given.get("continue", False), **options)

    def _choices(self) -> dict[str, tuple[str, ...]]:
        return {"delimiter": DELIMITERS, "decimal": DECIMAL_SIGNS, "match": matches(self.entity_type)}

    def _read(self, asked: ImportRequest) -> Table:
        table, parser = Table(), RowParser(asked.rules, CellParser(asked.decimal))
        try:
            self._read_rows(asked, table)
        except Unreadable as error:
            table.faults.append(_fault(error.line, error.reason))
        except BadColumns as error:
            table.faults += [_fault(1, each) for each in error.reasons]
        if table.faults:
            table.rows.clear()
        table.commands += [self._command(parser, row) for row in table.rows]
        return table

    def _read_rows(self, asked: ImportRequest, table: Table) -> None:
        raw = TableRows(_lines(asked.text), asked.delimiter, _numbered)
        table.header, table.titles = raw.header, raw.columns.titles
        with suppress(Unreadable):  # which is told where the rows are read
            table.first += [[*row.values.values()] for row in islice(raw, SHOWN_FIRST)]  # type: ignore[list-item]
        lines = _lines(asked.text)
        needed = asked.rules.needed
        found = TableRows(
            lines, asked.delimiter, lambda titles: read_columns(self.entity_type, titles, asked.columns, needed)
        )
        table.columns = found.columns.by_field
        if asked.line is not None:
            lines.number = asked.line - 1
        try:
            for row in found:
                table.rows.append(row)
                if len(table.rows) == MAX_COMMANDS:
                    table.next_line = lines.number + 1
                    return
        except Unclosed as error:
            if not asked.more:
                raise
            table.next_line = error.line
        else:
            table.next_line = lines.number if asked.more else None

    def _command(self, parser: RowParser, row: Row) -> Command:
        try:
            command = parser.command(row)
        except DomainError as error:
            return Refuse(entity_type=self.entity_type, error=error)
        if self.require_if_match and isinstance(command, MergeById | MergeByValue) and _is_rash(command):
            return Refuse(entity_type=self.entity_type, error=PreconditionRequired(name="version"))
        return command


def matches(entity_type: EntityType[Any]) -> tuple[str, ...]:
    """Return the fields that can tell which rows are there already."""
    return ("id", *(each.name for each in entity_type.unique))


def _is_rash(command: Merge) -> bool:
    """Tell whether a command would edit whatever version there is."""
    return command.updates and command.version is None


def _lines(text: str) -> TextLines:
    return TextLines(StringIO(text.removeprefix("\ufeff"), newline=""), "utf-8")


def _numbered(header: Sequence[str]) -> Columns:
    """Return columns whose fields are their numbers, so that a row has all of its cells."""
    return Columns(titles=tuple(each.strip() for each in header), fields=tuple(map(str, range(len(header)))))


def _fault(line: int, reason: str) -> RowViolation:
    return RowViolation(line=line, column="", value="", code="unreadable", reason=reason)


def _keys(command: Command) -> list[tuple[str, object]]:
    """Return what no other row of the table may have: the id of the entity that is edited, and unique values."""
    values = getattr(command, "values", {})
    unique = [(each.name, values.get(each.name)) for each in command.entity_type.unique]
    id = [("id", command.id)] if isinstance(command, MergeById) else []
    return [each for each in (*id, *unique) if each[1] is not None]
