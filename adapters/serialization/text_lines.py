"""The lines of a text that others wrote, in any encoding: within their limits, and with what is wrong with them."""

import codecs
import re
from collections.abc import Iterator
from typing import TextIO

from attrs import define, field

from domain.errors import Violation

MAX_LINE = 1 << 20
"""Characters of a line, or of a row with line breaks in it."""

ESCAPED = "surrogateescape"
"""How to decode a text for this: a byte that stands for no character becomes half a surrogate pair, which none is."""

_BYTES = re.compile("[\udc80-\udcff]")


class Unreadable(Exception):
    """A text cannot be read any further, because nobody could tell where the next row begins."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class Unclosed(Unreadable):
    """A text ends within a quoted cell. If there is more of the text, the rest of the row is in it."""


@define(eq=False)
class TextLines:
    """Reads a text line by line; `number` is that of the line that was read last."""

    text: TextIO
    encoding: str
    number: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.next, "")

    def next(self) -> str:
        """Return the next line with its end, or an empty text at the end of all. Raises `Unreadable`."""
        try:
            line = self.text.readline(MAX_LINE + 1)
        except UnicodeError:
            raise Unreadable(self.number + 1, f"from here on it is not {self.encoding}") from None
        self.number += 1
        if len(line) > MAX_LINE:
            raise Unreadable(self.number, f"it has more than {MAX_LINE:,} characters")
        return line

    def fault(self, text: str) -> Violation | None:
        """Return why a text cannot be taken: bytes that are no characters, or a NUL."""
        if not text.isascii() and (found := _BYTES.search(text)):
            return Violation(field="", code="not_text", reason=self._place(text, found.start()))
        if "\0" in text:
            reason = f"holds a NUL, as a text does that is not {self.encoding}"
            return Violation(field="", code="forbidden_character", reason=reason)
        return None

    def _place(self, text: str, index: int) -> str:
        before = text[:index].encode(self.encoding, ESCAPED)
        byte = ord(text[index]) - 0xDC00
        return f"byte {len(before) + 1} (0x{byte:02x}) is no character in {self.encoding}"


def encoding_named(name: str) -> str:
    """Return the encoding of that name, as Python reads it. Raises `LookupError` if there is none for text."""
    found = codecs.lookup(name)
    if not found._is_text_encoding:  # noqa: SLF001 - there is no other way to know
        raise LookupError(name)
    return found.name
