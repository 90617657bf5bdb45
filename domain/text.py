"""Cleaning text, and folding it so that sorting and searching mean the same in every store."""

import re
import unicodedata
from functools import cache, lru_cache

# Unicode's White_Space. Python's own notion of space also has \x1c to \x1f, which are control characters like others.
WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

# Invisible characters: Unicode's Default_Ignorable_Code_Point (version 16), and the Braille pattern without dots. The
# insides of character classes, up to U+FFFF and beyond.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
)
INVISIBLE_BEYOND = "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
_VISIBLE = re.compile(f"[^{INVISIBLE}{INVISIBLE_BEYOND}{WHITE_SPACE}]")

# The insides of character classes: category Cc, of which lines may hold newline and tab, and a single line neither
# these nor the two separators. Lone surrogates, which cannot be written as UTF-8 at all, are forbidden besides.
NOT_IN_LINES = "\x00-\x08\x0b-\x1f\x7f-\x9f"
NOT_IN_LINE = "\x00-\x1f\x7f-\x9f\u2028\u2029"
_FORBIDDEN_IN_LINES = re.compile(f"[{NOT_IN_LINES}\ud800-\udfff]")
_FORBIDDEN_IN_LINE = re.compile(f"[{NOT_IN_LINE}\ud800-\udfff]")


MAX_MARKS = 30
"""How many marks may follow each other."""

# Some characters have no place in the order of marks themselves, but stand for marks that have.
_STANDING_FOR_MARKS = "\u0f73\u0f75\u0f81\uff9e\uff9f"
_RUNS_WITHOUT_LETTERS = re.compile(r"[^\w\x00-\x7f]+")  # are found in a third of the time


def clean(text: str, *, lines: bool) -> str:
    """Return `text` in its stored form: without surrounding white space and, with `lines`, with LF for CRLF."""
    return (text.replace("\r\n", "\n") if lines and "\r" in text else text).strip(WHITE_SPACE)


def forbidden_character(text: str, *, lines: bool) -> str | None:
    """Return the first forbidden character of a text, or None."""
    if text.isascii() and text.isprintable():
        return None
    found = (_FORBIDDEN_IN_LINES if lines else _FORBIDDEN_IN_LINE).search(text)
    return found.group() if found else None


def has_too_many_marks(text: str) -> bool:
    """Tell whether more than `MAX_MARKS` marks follow each other somewhere, as no language needs.

    Bringing marks into order takes a time that grows with the square of their number, and so Unicode has a form of text
    for programs that read streams, in which there are so few (UAX #15, section 13).
    """
    if len(text) <= MAX_MARKS or text.isascii():
        return False
    if not (_has_longer(_RUNS_WITHOUT_LETTERS, text) or "\uff9e" in text or "\uff9f" in text):
        return False  # no marks are letters, but for two in Japanese
    return _has_longer(_runs_of_marks(), text)


@cache  # few texts need it, and looking at all characters takes longer than all else in this module
def _runs_of_marks() -> re.Pattern[str]:
    """Return what finds runs of everything that is put into order."""
    marks = "".join(each for each in map(chr, range(0x300, 0x1F000)) if unicodedata.combining(each))
    return re.compile(f"[{marks}{_STANDING_FOR_MARKS}]+")


def _has_longer(runs: re.Pattern[str], text: str) -> bool:
    return any(len(each) > MAX_MARKS for each in runs.findall(text))


def shows_something(text: str) -> bool:
    """Tell whether a text has a visible character."""
    return _VISIBLE.search(text) is not None


# The blocks of Unicode with marks for any script; Latin, Greek and Cyrillic use them. Marks of one script, such as the
# vowels of Hebrew and Hindi or the voicing of kana, are as good as letters, and stay.
_DIACRITICS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")

FOLD = f"2-{unicodedata.unidata_version}"
"""The version of `fold`: a number that we raise when `fold` changes, and the version of Unicode that Python knows."""


def fold(text: str) -> str:
    """Return the folded form of text, for order and search: by NFKC, casefold and without diacritics.

    Casefolding can undo a composition, hence the second pass (Unicode Standard, section 3.13, definition D146).
    """
    return text.lower() if text.isascii() else _folded(text)


@lru_cache(16)  # one write folds the same text for its order and for search
def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _DIACRITICS.sub("", apart))


def sought(text: str) -> str:
    """Return the form of `text` to search for in folded text.

    A forbidden character must find nothing, and must cause no error in a store. NUL, half of a surrogate pair and the
    separator between searched fields would. So another control character replaces it. Diacritics alone fold to
    nothing; they must find nothing too, rather than everything.
    """
    return _FORBIDDEN_IN_LINES.sub("\x01", fold(text) or text)
