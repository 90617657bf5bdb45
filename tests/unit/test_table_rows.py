"""Tables as spreadsheets and programs write them."""

import io
from collections.abc import Mapping

import pytest

from adapters.serialization import text_lines
from adapters.serialization.table_rows import TableRows
from adapters.serialization.text_lines import ESCAPED, TextLines, Unreadable
from domain.columns import BadColumns, read_columns
from domain.rows import Row
from domain.task import TASK


def table(content: str | bytes, delimiter: str = ",", encoding: str = "utf-8") -> TableRows:
    """Return the rows of a table of tasks."""
    data = content.encode(encoding) if isinstance(content, str) else content
    text = io.TextIOWrapper(io.BytesIO(data), encoding, errors=ESCAPED, newline="")
    return TableRows(TextLines(text, encoding), delimiter, lambda header: read_columns(TASK, header, {}, ["title"]))


def rows(content: str | bytes, delimiter: str = ",", encoding: str = "utf-8") -> list[Row]:
    """Return all rows of a table of tasks."""
    return list(table(content, delimiter, encoding))


def values(content: str, delimiter: str = ",") -> list[tuple[int, Mapping[str, object]]]:
    """Return the line and the values of each row, which are all right."""
    found = rows(content, delimiter)
    assert [None] * len(found) == [each.fault for each in found]
    return [(each.line, each.values) for each in found]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_plain_cells(end: str) -> None:
    """An empty cell is null, and spaces are part of a text. Any end of line will do, also none at the end."""
    text = end.join(["title,due", "a,2026-12-31", " b ,"])
    assert [(2, {"title": "a", "due": "2026-12-31"}), (3, {"title": " b ", "due": None})] == values(text)


def test_quoted_cells() -> None:
    """Cells in quotes hold delimiters, doubled quotes and line breaks. Two quotes are an empty text, and not null."""
    text = 'title,notes\n"a,b","say ""hi"""\n"c\r\nd",""\ne,\n'
    expected = [
        (2, {"title": "a,b", "notes": 'say "hi"'}),
        (3, {"title": "c\r\nd", "notes": ""}),
        (5, {"title": "e", "notes": None}),
    ]
    assert expected == values(text)


def test_many_lines_in_a_cell() -> None:
    """The row keeps its first line, and the text of all of them."""
    text = 'title,notes\nfirst,"' + "\n" * 500 + 'x"\nsecond,\n'
    first, second = rows(text)
    assert (2, 502, 'first,"' + "\n" * 500 + 'x"') == (first.line, second.line - 1, first.text)


def test_a_quote_inside_a_plain_cell() -> None:
    """It is a part of the text, as others read it too."""
    assert [(2, {"title": '5" screen', "due": None})] == values('title,due\n5" screen,\n')


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "^", "]"])
def test_other_delimiters(delimiter: str) -> None:
    """Any sign may stand between cells; a comma is text then."""
    text = (
        'title,due\na,b,\n"x,y",\n'.replace(",", delimiter)
        .replace(f"x{delimiter}y", "x,y")
        .replace(f"a{delimiter}b", "a,b")
    )
    assert [(2, {"title": "a,b", "due": None}), (3, {"title": "x,y", "due": None})] == values(text, delimiter)


def test_lines_without_content() -> None:
    """They are passed over, also before the header and with delimiters, and count as lines."""
    assert [(4, {"title": "a", "due": None})] == values("\n \ntitle,due\na,\n\n,\n , \n\n")


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("a", "wrong_width", "has 1 cells, and the header has 3"),
        ("a,,,", "wrong_width", "has 4 cells, and the header has 3"),
        ("a,,b", "unknown_field", "has a cell in a column without a title"),
        ('"a"b,,', "bad_quotes", "has text behind the quotation mark that ends a cell"),
        ("a\0,,", "forbidden_character", "holds a NUL"),
        ("ä,\udcff,", "not_text", "byte 4 (0xff) is no character in utf-8"),
        ('"a\nä\udcff",,', "not_text", "byte 6 (0xff) is no character in utf-8"),
    ],
)
def test_a_bad_row(line: str, code: str, said: str) -> None:
    """It has its fault and its text, and the rows behind it are read."""
    bad, good = rows(f"title,due,\n{line}\nb,,\n".encode(errors=ESCAPED))
    assert (2, line, {}) == (bad.line, bad.text, bad.values)
    assert bad.fault is not None
    assert (code, said) == (bad.fault.code, bad.fault.reason[: len(said)])
    assert ("b", None) == (good.values["title"], good.fault)


def test_bytes_of_another_encoding() -> None:
    """Bytes that are no characters are found in any encoding, and are written again as they were."""
    (row,) = rows(b"title\nBr\x81t\n", encoding="cp1252")
    assert row.fault is not None
    assert "byte 3 (0x81) is no character in cp1252" == row.fault.reason
    assert b"Br\x81t" == row.text.encode("cp1252", ESCAPED)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1: the header is missing"),
        ("\n\n", "line 1: the header is missing"),
        ("title\0\n", "line 1: the header holds a NUL"),
        ('"title"x\n', "line 1: the header has text behind"),
        ('title\na\n"b\nc\n', "line 3: a quotation mark is never closed"),
        ("title\n" + "x" * 101, "line 2: it has more than 100 characters"),
        ('title\n"' + "x\n" * 60, "line 2: a row has more than 100 characters"),
    ],
)
def test_what_cannot_be_read(monkeypatch: pytest.MonkeyPatch, content: str, said: str) -> None:
    """The error names the line where nobody can tell how the text goes on."""
    for module in ("adapters.serialization.table_rows.MAX_LINE", "adapters.serialization.text_lines.MAX_LINE"):
        monkeypatch.setattr(module, 100)
    with pytest.raises(Unreadable) as refused:
        rows(content)
    assert said == str(refused.value)[: len(said)]


def test_the_longest_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of the greatest length, its end included, is read."""
    monkeypatch.setattr("adapters.serialization.text_lines.MAX_LINE", 100)
    (row,) = rows("title\n" + "x" * 99 + "\n")
    assert {"title": "x" * 99} == row.values


def test_the_wrong_encoding() -> None:
    """A text that is none in a wide encoding ends with an error, and not with an exception of Python."""
    with pytest.raises(Unreadable, match="from here on it is not utf-16"):
        rows("title\n".encode("utf-16") + b"\x00\xd8", encoding="utf-16")


def test_columns_are_checked() -> None:
    """The header is given to whoever knows the fields."""
    with pytest.raises(BadColumns):
        table("titel\n")


def test_a_long_line_is_not_read_to_its_end() -> None:
    """A file without line ends takes a bounded part of the memory."""

    class Endless(io.StringIO):
        def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
            assert size == text_lines.MAX_LINE + 1
            return "x" * size

    with pytest.raises(Unreadable, match="has more than 1,048,576 characters"):
        next(iter(TextLines(Endless(), "utf-8")))
