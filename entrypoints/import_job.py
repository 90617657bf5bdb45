"""What an import is told to do, and the rows that it reads."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import Factory, frozen

from adapters.serialization.cells import CellParser
from adapters.serialization.line_rows import LineRows
from adapters.serialization.rejected_rows import RejectedLineRows, RejectedRows, RejectedTableRows
from adapters.serialization.table_rows import TableRows
from adapters.serialization.text_lines import TextLines
from domain.columns import BadColumns, Columns, read_columns
from domain.parsing import from_json
from domain.rows import Row, RowRules, RowViolation
from domain.use_cases.import_rows import ImportPlan
from entrypoints.input_file import STDIN, InputFile


@frozen(kw_only=True)
class Job:
    """An import: a file, how to read it, and the store. With a `salt` it is another one than any earlier."""

    target: str
    file: Path
    rules: RowRules
    format: str
    renamed: Mapping[str, str] = Factory(dict)
    delimiter: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    dry_run: bool = False
    continues: bool = False
    salt: str = ""

    @property
    def rejected(self) -> Path:
        """Return the file for rejected rows."""
        return Path(f"{'stdin' if self.file == STDIN else self.file}.rejected")

    def name(self, file: InputFile) -> str:
        """Return the name of the import: the same for the same file, read and matched in the same way."""
        rules, renamed = self.rules, sorted(self.renamed.items())
        what = (rules.entity_type.name, rules.match, rules.update, renamed)
        return file.digest(*what, self.format, self.delimiter, self.decimal, self.encoding, self.salt)


@frozen(kw_only=True)
class Table:
    """The rows of a file, from its beginning; the plan for them; and how to write those that are rejected."""

    rows: Iterable[Row]
    plan: ImportPlan
    rejected: RejectedRows


def read(job: Job, file: InputFile, name: str) -> Table:
    """Begin to read the rows of a file. Raises `Unreadable` and `BadColumns`."""
    lines = TextLines(file.text(job.encoding), job.encoding)
    plan: dict[str, Any] = {"rules": job.rules, "name": name, "continues": job.continues}
    if job.format == "ndjson":
        titles = {field: title for title, field in job.renamed.items()}
        rows = LineRows(lines, job.rules.entity_type, job.renamed)
        return Table(rows=rows, plan=ImportPlan(parse=from_json, columns=titles, **plan), rejected=RejectedLineRows())
    table = TableRows(lines, job.delimiter, lambda header: _columns(job, header))
    parse = CellParser(job.decimal)
    rejected = RejectedTableRows(table.header, job.delimiter)
    return Table(rows=table, plan=ImportPlan(parse=parse, columns=table.columns.by_field, **plan), rejected=rejected)


def _columns(job: Job, header: Sequence[str]) -> Columns:
    try:
        return read_columns(job.rules.entity_type, header, job.renamed, job.rules.needed)
    except BadColumns as error:
        other = next((sign for sign in (";", ",", "\t") if sign != job.delimiter and sign in header[0]), None)
        if len(header) > 1 or other is None:
            raise
        hint = f"there is only one column; if {other!r} stands between the columns, say --delimiter {other!r}"
        raise BadColumns((*error.reasons, hint)) from None


def hints(violations: Iterable[RowViolation], job: Job) -> Iterator[str]:
    """Yield what may be the cause of many violations, and which option would help."""
    told = list(violations)
    if any(each.code == "not_text" for each in told):
        yield "hint: many spreadsheets write --encoding cp1252"
    if job.decimal != "," and any(re.fullmatch(r"-?[0-9.]+,[0-9]+", each.value) for each in told):
        yield "hint: if a comma stands before the decimals, say --decimal ,"
