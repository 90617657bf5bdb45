"""Cleaning and folding text."""

import sys
import unicodedata

import pytest

from domain.text import (
    MAX_MARKS,
    clean,
    fold,
    forbidden_character,
    has_too_many_marks,
    shows_something,
    sought,
)


def test_every_control_character_is_forbidden() -> None:
    """Exactly category Cc, lone surrogates and the two separators are forbidden on one line."""
    everything = map(chr, range(sys.maxunicode + 1))
    forbidden = {each for each in everything if forbidden_character(each, lines=False)}
    expected = {each for each in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(each) in {"Cc", "Cs"}}
    assert expected | {"\u2028", "\u2029"} == forbidden


def test_what_lines_may_hold() -> None:
    """Newline, tab and both separators may stand in lines, and nothing else that is forbidden on one line."""
    everything = "".join(map(chr, range(0x3000)))
    allowed = {each for each in everything if forbidden_character(each, lines=False)} - {
        each for each in everything if forbidden_character(each, lines=True)
    }
    assert {"\n", "\t", "\u2028", "\u2029"} == allowed


def test_the_first_forbidden_character_is_told() -> None:
    """The first offender is returned, in ASCII and beyond."""
    assert "\x01" == forbidden_character("a\x01b\x02", lines=False)
    assert "\x85" == forbidden_character("é\x85b\x02", lines=False)


def test_every_mark_counts() -> None:
    """Whatever Unicode puts into order is a mark, and what stands for marks alone; 31 are too many."""
    everything = map(chr, range(sys.maxunicode + 1))
    marks = {each for each in everything if all(map(unicodedata.combining, unicodedata.normalize("NFKD", each)))}
    assert marks == {each for each in map(chr, range(0x20000)) if has_too_many_marks(each * (MAX_MARKS + 1))}


def test_how_many_marks_may_follow_each_other() -> None:
    """Thirty may, again behind each letter, in whatever order they come."""
    marks = "\u0301\u0316\uff9e" * 10
    assert MAX_MARKS == len(marks)
    assert not has_too_many_marks(f"a{marks}é{marks} {marks}\u4e00{marks}")
    assert has_too_many_marks(f"a{marks}\u0301b")
    assert not has_too_many_marks("…" * 1000 + "\u0301")


def test_cleaning() -> None:
    """Space around text goes, space within it stays, and CRLF becomes LF only where lines are allowed."""
    assert "a  b" == clean("\u2003 a  b\n", lines=False)
    assert "a\n\nb" == clean("\r\na\r\n\r\nb\r\n", lines=True)
    assert "a\r\nb" == clean("a\r\nb", lines=False)


def test_only_white_space_is_trimmed() -> None:
    """Unicode's white space is removed from the ends of a text; other control characters stay, and are found."""
    everything = map(chr, range(sys.maxunicode + 1))
    trimmed = {each for each in everything if not clean(each, lines=False)}
    assert {each for each in map(chr, range(sys.maxunicode + 1)) if each.isspace()} - set("\x1c\x1d\x1e\x1f") == trimmed


def test_what_shows_nothing() -> None:
    """White space and what Unicode calls ignorable show nothing, whatever of it stands together."""
    everything = [chr(each) for each in range(sys.maxunicode + 1) if not 0xD800 <= each < 0xE000]
    hidden = {each for each in everything if not shows_something(each)}
    formats = {each for each in hidden if unicodedata.category(each) in {"Cf", "Cn"}}
    assert hidden - formats == {each for each in everything if each.isspace()} - set("\x1c\x1d\x1e\x1f") | set(
        "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
        + "".join(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
    ) - {"\u180e"}
    assert not shows_something("".join(hidden))
    for shown in ("a", "\u0301", "\u0600", "\ue000", "\x00", "👩\u200d🚀"):
        assert shows_something(f"\u200b{shown} ")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Straße", "strasse"),
        ("ＡＢＣ１", "abc1"),
        ("ﬁne", "fine"),
        ("e\u0301", "e"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("Brötchen", "brotchen"),
        ("Nguyễn", "nguyen"),
        ("Йод", "иод"),
        ("smørrebrød", "smørrebrød"),
        ("が", "が"),
        ("हिन्दी", "हिन्दी"),
        ("שָׁלוֹם", "שָׁלוֹם"),
        ("각", "각"),
        ("İ", "i"),
        ("\u0390", "ι"),
        ("I", "i"),
        ("①", "1"),
        ("ẞ", "ss"),
        ("😀", "😀"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    """Case, compatibility forms and diacritics disappear; marks that belong to one script stay."""
    assert folded == fold(text)


def test_folding_each_character_twice_changes_nothing_more() -> None:
    """Folding is idempotent for every single character of Unicode."""
    folded = [fold(chr(each)) for each in range(sys.maxunicode + 1)]
    assert folded == [fold(each) for each in folded]


@pytest.mark.parametrize("character", ["\x00", "\x1f", "\x85", "\ud800"])
def test_what_no_text_holds_is_not_found(character: str) -> None:
    """A search text keeps its meaning, but is valid UTF-8 without NUL and without the separator."""
    assert "a\x01b" == sought(f"A{character}B")


def test_diacritics_alone_find_nothing() -> None:
    """A text that folds to nothing is searched as it is, because the empty text would match everything."""
    assert "\u0301" == sought("\u0301")
    assert "" == sought("")


def test_what_is_looked_for_is_folded() -> None:
    """Everything that a text can hold is looked for in its folded form, line breaks included."""
    assert "a\tb\nstrasse" == sought("A\tB\nStraße")
