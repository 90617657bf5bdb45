"""The rules of single fields, at their limits."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

import pytest

from domain.field_types import (
    Boolean,
    Date,
    EnumField,
    FieldType,
    Integer,
    ListOf,
    Money,
    String,
    Timestamp,
    Url,
    ValidationError,
)
from domain.parsing import MOST_COMPARED, MOST_COUNTED, from_text, json_value
from domain.urls import MAX_URL_LENGTH


class Size(Enum):
    """Sizes, in an order that is not that of their names."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


LINE = String(2, 5)
LINES = String(0, 5, lines=True)
CODE = String(1, 5, alphabet="A-C.")
SIZE = EnumField(Size)
WHOLE = Integer(-2, 7)
MONEY = Money(Decimal("99.99"))
KNOWN = ListOf(("a", "b"))


def refusal(field_type: FieldType, raw: object) -> str:
    """Return the code with which a rule refuses a raw value."""
    with pytest.raises(ValidationError) as caught:
        json_value(field_type, raw)
    return caught.value.code


def misread(field_type: FieldType, text: str) -> bool:
    """Tell whether plain text is not of a rule's type."""
    try:
        from_text(field_type, text)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("raw", ["a" * LINE.least, "a" * LINE.most, f" \t{'a' * LINE.most}\n ", "😀" * LINE.most])
def test_text_within_its_limits(raw: str) -> None:
    """Text is trimmed first and then measured in code points."""
    assert raw.strip() == json_value(LINE, raw)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("a" * (LINE.least - 1), "too_short"),
        ("a" * (LINE.most + 1), "too_long"),
        ("", "blank"),
        (" \t\n\u3000", "blank"),
        ("\u200b", "blank"),
        ("\u2800 \ufeff\u3164", "blank"),
        (5, "wrong_type"),
        (True, "wrong_type"),
        (["ab"], "wrong_type"),
    ],
)
def test_text_beyond_its_limits(raw: object, code: str) -> None:
    """Text outside its limits, or no text at all, is refused."""
    assert code == refusal(LINE, raw)


def test_too_many_marks() -> None:
    """Text in which more than thirty marks follow each other is refused, on one line or on many, and is told so."""
    for field_type in (String(0, 100), String(0, 100, lines=True)):
        assert len(json_value(field_type, "a" + "\u0301" * 30)) == 31
        with pytest.raises(ValidationError) as caught:
            json_value(field_type, "a" + "\u0301" * 31)
        assert "too_many_marks" == caught.value.code
        assert "must not have more than 30 marks, such as accents, one after the other" == caught.value.reason


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1b", "\x7f", "\x80", "\x9f", "\ud800"])
@pytest.mark.parametrize("field_type", [LINE, LINES])
def test_controls_are_no_text(field_type: FieldType, character: str) -> None:
    """Control characters and lone surrogates are refused, on one line or on many."""
    assert "forbidden_character" == refusal(field_type, f"a{character}b")


@pytest.mark.parametrize(
    ("field_type", "raw", "reason"),
    [
        (LINE, "a\nb", "must not contain control characters or line breaks"),
        (LINES, "a\x07b", "must not contain control characters other than line breaks and tabs"),
        (LINE, "a" * (LINE.most + 1), f"must have {LINE.least} to {LINE.most} characters"),
        (LINE, "\u200b", "must not be blank"),
        (LINE, 5, "must be text"),
        (CODE, "a", f"must contain only the characters {CODE.alphabet}"),
        (MONEY, "9.990", "must be a number, or text such as 9.99 with at most two decimals"),
        (MONEY, Decimal("9.999"), "must have at most two decimals"),
        (MONEY, Decimal(-1), f"must be from 0 to {MONEY.most}"),
        (WHOLE, Decimal("0.5"), "must be a whole number"),
        (WHOLE, WHOLE.most + 1, f"must be from {WHOLE.least} to {WHOLE.most}"),
        (SIZE, "tiny", "must be one of small, medium, large"),
        (Date(), "2026-02-30", "must be a date such as 2026-12-31"),
        (Timestamp(), datetime(2026, 1, 31), "must be a time such as 2026-12-31T23:59:59.000000Z"),  # noqa: DTZ001
        (Timestamp(), "now", "must be a time such as 2026-12-31T23:59:59.000000Z"),
        (Boolean(), 1, "must be true or false"),
        (ListOf(("a", "b")), "a", "must be a list"),
        (ListOf(("a", "b")), ["c"], "must hold only a, b"),
        (ListOf(("a", "b")), ["a", "a"], "must not hold a twice"),
        (Url(), "ftp://a", "must begin with https:// or http://"),
    ],
)
def test_reasons_are_true_of_their_rule(field_type: FieldType, raw: object, reason: str) -> None:
    """The reason says what the rule asks for, and forbids nothing that it allows."""
    with pytest.raises(ValidationError) as caught:
        field_type.check(raw)
    assert reason == caught.value.reason


@pytest.mark.parametrize("character", ["\n", "\t", "\u2028", "\u2029"])
def test_line_breaks_belong_in_lines(character: str) -> None:
    """Characters that break or shape lines are refused on a single line, and kept where lines are allowed."""
    assert "forbidden_character" == refusal(LINE, f"a{character}b")
    assert f"a{character}b" == json_value(LINES, f"a{character}b")


@pytest.mark.parametrize(
    "text", ["a\u200db", "a\u202eb", "\u200fab", "a\u00a0b", "a\ufeffb", "a\ue000b", "\U0010ffffa"]
)
def test_the_rest_of_unicode_is_text(text: str) -> None:
    """Joiners, bidi marks, private use and unassigned characters are kept as they came."""
    assert text == json_value(LINE, text)


def test_carriage_returns() -> None:
    """CRLF becomes LF where lines are allowed, before the text is measured; a lone CR is a control character."""
    assert "a\nb\nc" == json_value(LINES, "a\r\nb\r\nc")
    assert "forbidden_character" == refusal(LINES, "a\rb")
    assert "forbidden_character" == refusal(LINES, "a\r\r\nb")
    assert "forbidden_character" == refusal(LINE, "a\r\nb")


def test_an_alphabet_limits_text_further() -> None:
    """A dot in an alphabet is a dot, and case matters."""
    assert "AB.C" == json_value(CODE, "AB.C")
    assert "forbidden_character" == refusal(CODE, "ABD")
    assert "forbidden_character" == refusal(CODE, "a")
    assert "forbidden_character" == refusal(CODE, "A B")


def test_text_is_ordered_by_its_folded_form() -> None:
    """Neither case nor compatibility forms matter for the order of text."""
    assert LINE.key("STRASSE") == LINE.key("Straße") == LINE.key("ＳＴＲＡＳＳＥ")


@pytest.mark.parametrize("text", ["\x00", "a\x1fb", "\ud800"])
def test_plain_text_that_no_field_can_hold(text: str) -> None:
    """A filter for text with characters that no text has is a mistake."""
    assert misread(LINE, text)


def test_choices() -> None:
    """A choice is made by its exact value and ordered as it was defined."""
    assert list(Size) == [json_value(SIZE, member.value) for member in Size]
    assert list(Size) == sorted(Size, key=SIZE.key)
    assert Size.LARGE is from_text(SIZE, "large")


@pytest.mark.parametrize("raw", ["SMALL", "tiny", "", " small", 0, True, ["small"], {"small": 1}, Decimal(1)])
def test_no_choice(raw: object) -> None:
    """Anything but the exact value of a member is refused, with the members named."""
    with pytest.raises(ValidationError) as caught:
        json_value(SIZE, raw)
    assert ("not_a_choice", "must be one of small, medium, large") == (caught.value.code, caught.value.reason)


@pytest.mark.parametrize("raw", [WHOLE.least, 0, WHOLE.most, Decimal(WHOLE.most), Decimal("5.00"), Decimal("5E+0")])
def test_whole_numbers_within_their_limits(raw: int | Decimal) -> None:
    """Whole numbers are judged by value, however they are written."""
    value = json_value(WHOLE, raw)
    assert (raw, int) == (value, type(value))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (WHOLE.least - 1, "out_of_range"),
        (WHOLE.most + 1, "out_of_range"),
        (Decimal(WHOLE.most + 1), "out_of_range"),
        (10**4000, "out_of_range"),
        (Decimal("1E+999999"), "out_of_range"),
        (Decimal("0.5"), "wrong_type"),
        (Decimal("NaN"), "wrong_type"),
        (Decimal("sNaN"), "wrong_type"),
        (Decimal("Infinity"), "wrong_type"),
        (True, "wrong_type"),
        ("5", "wrong_type"),
        ([], "wrong_type"),
    ],
)
def test_no_whole_numbers(raw: object, code: str) -> None:
    """Fractions, booleans, text and what is out of range are refused."""
    assert code == refusal(WHOLE, raw)


@pytest.mark.parametrize("text", ["", "+1", "1.0", "0x1", "١", " 1", "1\n", "1_000"])
def test_no_plain_whole_numbers(text: str) -> None:
    """A filter takes plain ASCII digits with at most a minus sign before them."""
    assert -7 == from_text(WHOLE, "-7")
    assert misread(WHOLE, text)


@pytest.mark.parametrize(
    ("raw", "amount"),
    [
        (0, "0.00"),
        (Decimal("-0"), "0.00"),
        (Decimal("-0.000"), "0.00"),
        (MONEY.most, str(MONEY.most)),
        ("99.99", "99.99"),
        ("007.5", "7.50"),
        (Decimal("9.990"), "9.99"),
        (Decimal("9.99" + "0" * 500), "9.99"),
        (Decimal("1E+1"), "10.00"),
        (Decimal("1E-2"), "0.01"),
        (12, "12.00"),
    ],
)
def test_money_is_exact(raw: object, amount: str) -> None:
    """An amount is judged by its value and kept with exactly two decimals, never below zero, not even by its sign."""
    assert amount == str(json_value(MONEY, raw))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (MONEY.most + MONEY.CENT, "out_of_range"),
        (Decimal(f"{MONEY.most}{'0' * 40}1"), "out_of_range"),
        (-MONEY.CENT, "out_of_range"),
        (10**4000, "out_of_range"),
        ("9" * 5000, "out_of_range"),
        (Decimal("1E+999999"), "out_of_range"),
        (Decimal("NaN"), "out_of_range"),
        (Decimal("sNaN"), "out_of_range"),
        (Decimal("-Infinity"), "out_of_range"),
        (Decimal("0.001"), "too_many_decimals"),
        (Decimal("9.99" + "0" * 500 + "1"), "too_many_decimals"),
        (Decimal("1E-999999"), "too_many_decimals"),
        ("9.990", "wrong_type"),
        ("-1", "wrong_type"),
        ("+1", "wrong_type"),
        (".5", "wrong_type"),
        ("5.", "wrong_type"),
        ("1e1", "wrong_type"),
        (" 5", "wrong_type"),
        ("5\n", "wrong_type"),
        ("٥", "wrong_type"),
        ("NaN", "wrong_type"),
        ("", "wrong_type"),
        (True, "wrong_type"),
        (9.99, "wrong_type"),
        ([], "wrong_type"),
    ],
)
def test_no_money(raw: object, code: str) -> None:
    """An amount out of range or finer than a cent is refused, never rounded; a float is no exact amount."""
    assert code == refusal(MONEY, raw)


@pytest.mark.parametrize("text", ["", "1.", "1.999", "1e3", "NaN", "١", "1\n"])
def test_no_plain_money(text: str) -> None:
    """A filter takes plain ASCII decimals."""
    assert Decimal("-9.99") == from_text(MONEY, "-9.99")
    assert misread(MONEY, text)


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(("field_type", "most"), [(WHOLE, MOST_COUNTED), (MONEY, MOST_COMPARED)])
def test_plain_numbers_beyond_all_values(field_type: FieldType, most: int, sign: str) -> None:
    """A filter takes numbers beyond the field's own limits, up to what can be compared; more is out of range."""
    assert int(f"{sign}{most}") == from_text(field_type, f"{sign}{most}")
    for text in (f"{sign}{most + 1}", f"{sign}{'9' * 10_000}"):
        with pytest.raises(ValidationError) as caught:
            from_text(field_type, text)
        assert "out_of_range" == caught.value.code


def test_days() -> None:
    """A day is written in full, in ASCII digits, and exists."""
    assert date(2024, 2, 29) == json_value(Date(), "2024-02-29")
    assert date.min == json_value(Date(), "0001-01-01")
    assert date.max == json_value(Date(), "9999-12-31")


@pytest.mark.parametrize(
    "raw",
    ["2023-02-29", "0000-01-01", "2024-13-01", "20240229", "2024-W01-1", "2024-2-29", "٢٠٢٤-01-01", "", "2024-01-01\n"],
)
def test_no_days(raw: str) -> None:
    """Days that do not exist and other ways to write a date are refused."""
    assert "not_a_date" == refusal(Date(), raw)


@pytest.mark.parametrize("raw", [5, True, [], Decimal(5)])
def test_a_day_is_text(raw: object) -> None:
    """A number is no day."""
    assert "wrong_type" == refusal(Date(), raw)


@pytest.mark.parametrize(
    "raw",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31T12:00:00.000000Z",
        "2026-01-31T13:30:00.0+01:30",
        "2026-01-30T23:00:00-13:00",
    ],
)
def test_moments_are_kept_in_utc(raw: str) -> None:
    """However a point in time is written, it is the same point in UTC."""
    moment = json_value(Timestamp(), raw)
    assert (datetime(2026, 1, 31, 12, tzinfo=UTC), UTC) == (moment, moment.tzinfo)


@pytest.mark.parametrize(
    "raw",
    [
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00.0000000Z",
        "2026-01-31T12:00:60Z",
        "2026-01-31T12:00:00+24:00",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-01-31T12:00:00Z\n",
        "",
        5,
        True,
    ],
)
def test_no_moments(raw: object) -> None:
    """Times without a zone, too fine, outside the calendar or not text at all are refused."""
    assert "not_a_time" == refusal(Timestamp(), raw)


@pytest.mark.parametrize("raw", ["https://example.com/", " http://192.0.2.1:8080/a?b#c ", "https://[2001:db8::1]/"])
def test_urls(raw: str) -> None:
    """A URL is trimmed like any text, and otherwise kept as it was written."""
    assert raw.strip() == json_value(Url(), raw)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "blank"),
        (5, "wrong_type"),
        ("ftp://example.com/", "not_a_url"),
        ("https://user@example.com/", "not_a_url"),
        ("https://0x7f.1/", "not_a_url"),
        ("https://example.com/a b", "not_a_url"),
        ("https://example.com/\x00", "forbidden_character"),
        (f"https://example.com/{'a' * MAX_URL_LENGTH}", "too_long"),
    ],
)
def test_no_urls(raw: object, code: str) -> None:
    """A URL is refused if it is no text, or if two parsers could read it differently."""
    assert code == refusal(Url(), raw)


def test_flags() -> None:
    """A boolean is true or false, in a document and in plain text."""
    assert (True, False) == (json_value(Boolean(), True), json_value(Boolean(), False))
    assert (True, False) == (from_text(Boolean(), "true"), from_text(Boolean(), "false"))
    assert Boolean().key(False) < Boolean().key(True)


@pytest.mark.parametrize("raw", [0, 1, "true", "", [], {}, Decimal(1)])
def test_no_flags(raw: object) -> None:
    """Nothing else is a boolean."""
    assert "wrong_type" == refusal(Boolean(), raw)
    assert all(misread(Boolean(), text) for text in ("True", "1", "", "yes"))


def test_members() -> None:
    """A list keeps its order; an empty one is a list too."""
    assert ("b", "a") == json_value(KNOWN, ["b", "a"]) == from_text(KNOWN, "b,a")
    assert () == json_value(KNOWN, []) == from_text(KNOWN, "")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("a", "wrong_type"),
        ({"a": "b"}, "wrong_type"),
        (["c"], "not_a_choice"),
        ([["a"]], "not_a_choice"),
        ([1], "not_a_choice"),
        ([None], "not_a_choice"),
        (["a", "b", "a"], "duplicate"),
    ],
)
def test_no_members(raw: object, code: str) -> None:
    """Only known members, each of them once, make a list."""
    assert code == refusal(KNOWN, raw)
    assert misread(KNOWN, "a,a")
    assert misread(KNOWN, "c")
