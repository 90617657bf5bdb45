"""Reading the rows of a table: CSV as spreadsheets and programs write it."""

import re
from collections.abc import Callable, Iterator, Sequence

from adapters.serialization.text_lines import MAX_LINE, TextLines, Unclosed, Unreadable
from domain.columns import Columns
from domain.errors import Violation
from domain.rows import Row

NO_HEADER = Violation(field="", code="required", reason="is missing")
BAD_QUOTES = Violation(field="", code="bad_quotes", reason="has text behind the quotation mark that ends a cell")


class TableRows:
    """The rows of a table with a header. Lines without any content are passed over.

    An empty cell is null, and two quotes are an empty text. A cell in quotes may hold line breaks, delimiters, and
    quotes that are doubled (RFC 4180).
    """

    def __init__(self, lines: TextLines, delimiter: str, columns: Callable[[Sequence[str]], Columns]) -> None:
        """Read the header; `columns` finds the fields of its titles. Raises what it raises, and `Unreadable`."""
        self._lines = lines
        self._delimiter = delimiter
        sign = re.escape(delimiter)
        self._cell = re.compile(rf'(?:"((?:[^"]++|"")*+)"|([^"{sign}][^{sign}]*)|)(?={sign}|\Z)')
        self._open = re.compile(r'"(?:[^"]++|"")*+\Z')
        self._blank = f"{delimiter} \t\r\n"
        line, self.header, cells, fault = next(self._records(), (1, "", [], NO_HEADER))
        if fault is not None:
            raise Unreadable(line, f"the header {fault.reason}")
        self.columns = columns([cell or "" for cell in cells])
        self._fields = [(name, index) for index, name in enumerate(self.columns.fields) if name is not None]
        self._unnamed = [index for index, title in enumerate(self.columns.titles) if not title]

    def __iter__(self) -> Iterator[Row]:
        fields = self._fields
        for line, text, cells, fault in self._records():
            wrong = fault or self._misfit(cells)
            yield Row(line, text, {} if wrong else {name: cells[index] for name, index in fields}, wrong)

    def _misfit(self, cells: list[str | None]) -> Violation | None:
        width = len(self.columns.titles)
        if len(cells) != width:
            reason = f"has {len(cells)} cells, and the header has {width}"
            return Violation(field="", code="wrong_width", reason=reason)
        if self._unnamed and any(cells[index] for index in self._unnamed):
            return Violation(field="", code="unknown_field", reason="has a cell in a column without a title")
        return None

    def _records(self) -> Iterator[tuple[int, str, list[str | None], Violation | None]]:
        """Yield each record with content: its line, its text, its cells, and why it cannot be taken."""
        sign = self._delimiter
        for line in self._lines:
            begun = self._lines.number
            if '"' in line:
                text, cells, fault = self._quoted(line)
                yield begun, text, cells, self._lines.fault(text) or fault
            elif line.strip(self._blank):
                text = line.rstrip("\r\n")
                yield begun, text, [cell or None for cell in text.split(sign)], self._lines.fault(text)

    def _quoted(self, line: str) -> tuple[str, list[str | None], Violation | None]:
        """Return a record that begins with this line, its cells, and whether its quotes are wrong."""
        cells: list[str | None] = []
        text, position, begun = line.rstrip("\r\n"), 0, self._lines.number
        while position <= len(text):
            while (found := self._cell.match(text, position)) is None:
                if not self._open.match(text, position):
                    return text, [], BAD_QUOTES
                line = self._longer(line, begun)
                text = line.rstrip("\r\n")
            quoted, plain = found.groups()
            cells.append(plain if quoted is None else quoted.replace('""', '"'))
            position = found.end() + 1
        return text, cells, None

    def _longer(self, line: str, begun: int) -> str:
        """Return a record, of which there is a part, with the lines up to the next that has a quotation mark."""
        parts, size = [line], len(line)
        while size <= MAX_LINE:
            part = self._lines.next()
            if not part:
                raise Unclosed(begun, "a quotation mark is never closed")
            parts.append(part)
            size += len(part)
            if '"' in part:
                return "".join(parts)
        raise Unreadable(begun, f"a row has more than {MAX_LINE:,} characters; is a quotation mark never closed?")
