"""The columns of a table that others wrote."""

import pytest

from domain.columns import REJECTED, BadColumns, check_renamed, read_columns
from domain.product import PRODUCT
from domain.task import TASK


def test_titles_are_names_of_fields() -> None:
    """Titles may be in any order, with spaces around them. Untitled columns and rejections are passed over."""
    columns = read_columns(TASK, ["due", " title ", "", REJECTED, "id"], {}, ["title"])
    assert ("due", "title", None, None, "id") == columns.fields
    assert {"due": "due", "title": "title", "id": "id"} == columns.by_field


def test_titles_may_be_renamed() -> None:
    """A title gets the name of a field, or none."""
    columns = read_columns(
        TASK, ["Titel", "version", "Notiz"], {"Titel": "title", "version": "", "Notiz": ""}, ["title"]
    )
    assert ("title", None, None) == columns.fields
    assert {"title": "Titel"} == columns.by_field


@pytest.mark.parametrize(
    ("header", "renamed", "said"),
    [
        (["titel"], {}, "the column 'titel' is not a field (did you mean title? there are id, version,"),
        (["x" * 99], {}, f"the column '{'x' * 50}' is not a field (there are id,"),
        (["status"], {}, "there is no column for title"),
        (["title", "title"], {}, "there are 2 columns for title: title, title"),
        (["title", "Titel"], {"Titel": "title"}, "there are 2 columns for title: title, Titel"),
        (
            ["title", "Titel"],
            {"Title": "notes", "Titel": ""},
            "there is no column 'Title' (did you mean title?",
        ),
        (["titel", "statuss"], {}, "the column 'titel' is not a field"),
    ],
)
def test_what_is_wrong_is_told(header: list[str], renamed: dict[str, str], said: str) -> None:
    """The error names the column and what was probably meant."""
    with pytest.raises(BadColumns) as refused:
        read_columns(TASK, header, renamed, ["title"])
    assert said == str(refused.value)[: len(said)]


def test_everything_at_once() -> None:
    """One error has every reason."""
    with pytest.raises(BadColumns) as refused:
        read_columns(PRODUCT, ["nam", "prise", "sku", "sku"], {}, ["name", "price"])
    assert ["'nam'", "'prise'", "sku"] == [
        word for reason, word in zip(refused.value.reasons, ["'nam'", "'prise'", "sku"], strict=True) if word in reason
    ]


def test_names_of_fields_are_checked() -> None:
    """A title can be renamed to a field only."""
    check_renamed(TASK, ["title", "", "version"])
    with pytest.raises(BadColumns, match=r"titel is not a field \(did you mean title\?"):
        check_renamed(TASK, ["titel"])
