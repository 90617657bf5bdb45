"""Rejected rows, which can be mended and read again."""

import io
import json

import pytest

from adapters.serialization.line_rows import LineRows
from adapters.serialization.rejected_rows import RejectedLineRows, RejectedTableRows
from adapters.serialization.table_rows import TableRows
from adapters.serialization.text_lines import TextLines
from domain.columns import read_columns
from domain.rows import Row, RowViolation
from domain.task import TASK

REASONS = [
    RowViolation(line=2, column="Titel", value="", code="required", reason="is required"),
    RowViolation(line=2, column="due", value='"x"', code="not_a_date", reason="must be a date"),
]
SAID = "Titel is required; due '\"x\"' must be a date"


def test_a_table() -> None:
    """Each row is as it was, with one cell more; the next import passes that column over."""
    form = RejectedTableRows("title;due", ";")
    text = form.head + form.write(Row(2, '"a\nb";x', {}), REASONS)
    assert 'title;due;rejected\r\n"a\nb";x;"Titel is required; due \'""x""\' must be a date"\r\n' == text
    lines = TextLines(io.StringIO(text, newline=""), "utf-8")
    (row,) = TableRows(lines, ";", lambda header: read_columns(TASK, header, {}, []))
    assert {"title": "a\nb", "due": "x"} == row.values


@pytest.mark.parametrize("text", ['{"title":"a","due":9.90}', "{}", "{ }", '{"rejected":"a \\"b\\"","title":"a"}'])
def test_objects(text: str) -> None:
    """Each object is as it was, with one key more, which replaces that of an earlier import."""
    written = RejectedLineRows().write(Row(2, text, {}), REASONS)
    assert {**json.loads(text), "rejected": SAID} == json.loads(written)
    assert written.count("rejected") == 1
    (row,) = LineRows(TextLines(io.StringIO(written), "utf-8"), TASK, {})
    assert {name: value for name, value in json.loads(text).items() if name != "rejected"}.keys() == row.values.keys()


@pytest.mark.parametrize("text", ["[1]", '"', "a\udcff"])
def test_what_is_no_object(text: str) -> None:
    """It becomes the text in one, so all lines are JSON."""
    written = RejectedLineRows().write(Row(2, text, {}), REASONS)
    assert {"rejected": SAID, "line": text.replace("\udcff", "?")} == json.loads(written)
