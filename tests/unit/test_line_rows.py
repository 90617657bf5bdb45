"""NDJSON that others wrote."""

import io
from decimal import Decimal
from typing import Any

import pytest

from adapters.serialization.line_rows import LineRows
from adapters.serialization.text_lines import ESCAPED, TextLines
from domain.entity_type import EntityType
from domain.product import PRODUCT
from domain.rows import Row
from domain.task import TASK


def rows(content: str, entity_type: EntityType[Any] = TASK, **renamed: str) -> list[Row]:
    """Return all rows of a text."""
    data = io.BytesIO(content.encode(errors=ESCAPED))
    text = io.TextIOWrapper(data, "utf-8", errors=ESCAPED, newline="")
    return list(LineRows(TextLines(text, "utf-8"), entity_type, renamed))


def test_an_object_a_line() -> None:
    """Empty lines are passed over and count. Numbers keep every digit. The text is as it was, without its end."""
    first, second = rows('\n{"title": "a", "due": null}\r\n \n{"price": 9.990}')
    assert (2, '{"title": "a", "due": null}', {"title": "a", "due": None}, None) == first
    assert (4, {"price": Decimal("9.990")}) == (second.line, second.values)


def test_renamed_keys() -> None:
    """Keys get the names of fields, or none; what an earlier import said of a line is passed over."""
    (row,) = rows('{"rejected": "title is required", "Titel": "a", "x": 1}', Titel="title", x="")
    assert {"title": "a"} == row.values


def test_two_keys_for_one_field() -> None:
    """They contradict each other, so the row is refused."""
    (row,) = rows('{"Titel": "a", "title": "b"}', Titel="title")
    assert row.fault is not None
    assert "has several keys for one field" == row.fault.reason


def test_lines_that_name_their_type() -> None:
    """Of an export of several types only those of the wanted one are rows; changes are none."""
    text = """{"type":"task","data":{"title":"a"}}
{"type":"product","data":{"name":"b"}}
{"cursor":"x-1","type":"task.created","data":{"title":"a"}}
"""
    assert [{"title": "a"}] == [each.values for each in rows(text)]
    assert [{"name": "b"}] == [each.values for each in rows(text, PRODUCT)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"title": "a"', "is not JSON: "),
        ("[]", "is not a JSON object"),
        ('{"title": "a", "title": "b"}', "is not JSON: duplicate key 'title'"),
        ('{"price": NaN}', "is not JSON: NaN is not a number"),
        ('{"title": "\\ud800"}', "holds half of a surrogate pair"),
        ("[" * 40 + "]" * 40, "is not a JSON object"),
        ('{"a":' * 40 + "1" + "}" * 40, "nests deeper than 32"),
        ('{"title": "\udcff"}', "byte 12 (0xff) is no character in utf-8"),
        ('{"title": "a\0"}', "holds a NUL"),
    ],
)
def test_a_bad_line(line: str, said: str) -> None:
    """It has its fault and its text, and the rows behind it are read."""
    bad, good = rows(f'{line}\n{{"title": "b"}}\n')
    assert bad.fault is not None
    assert (1, line, said) == (bad.line, bad.text, bad.fault.reason[: len(said)])
    assert {"title": "b"} == good.values
