"""The rules of text as regular expressions for the OpenAPI document, in what ECMA-262 and other dialects share."""

from decimal import Decimal

from domain.field_types import String
from domain.parsing import DECIMALS
from domain.text import NOT_IN_LINE, NOT_IN_LINES, WHITE_SPACE


def _escaped(characters: str) -> str:
    """Return the inside of a character class with every character but the plainest as an escape."""
    return "".join(each if "!" <= each <= "~" else f"\\u{ord(each):04x}" for each in characters)


def _ranges(characters: str) -> str:
    """Return the inside of a character class of ascending `characters`, with neighbours as ranges."""
    runs: list[str] = []
    for each in characters:
        if runs and ord(each) == ord(runs[-1][-1]) + 1:
            runs[-1] = f"{runs[-1][0]}-{each}"
        else:
            runs.append(each)
    return _escaped("".join(runs))


_SPACE = _ranges(WHITE_SPACE)
_NEITHER = _escaped(NOT_IN_LINE)
_AROUND = f"[{_SPACE}]*"  # is trimmed

ONE_LINE = f"^[^{_NEITHER}]*$"
LINES = f"^[^{_escaped(NOT_IN_LINES)}]*$"
CURSOR = "^[A-Za-z0-9_-]+$"
CURSOR_OR_NONE = "^[A-Za-z0-9_-]*$"

# Which numbers and names are addresses is more than a pattern should say.
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)"
_ADDRESS = rf"[Hh][Tt][Tt][Pp][Ss]?://{_HOST}(:[0-9]{{0,5}})?([/?#][^{_SPACE}{_NEITHER}\\]*)?"
URL = f"^{_ADDRESS}$"
SENT_URL = f"^{_AROUND}{_ADDRESS}{_AROUND}$"


def text_pattern(field_type: String) -> str:
    """Return what a text may look like as it is sent, before it is trimmed, whatever its length."""
    first = f"[^{_SPACE}{_NEITHER}]"  # is not trimmed, so that something is left
    rest = f"[^{_NEITHER}]"
    if field_type.alphabet is not None:
        first = rest = f"[{field_type.alphabet}]"
    elif field_type.lines:
        rest = f"([^{_escaped(NOT_IN_LINES)}]|\\r\\n)"
    return f"^{_AROUND}{first if field_type.least else ''}{rest}*{_AROUND}$"


def amount_pattern(most: Decimal | int, *, signed: bool = False) -> str:
    """Return what an amount of not more digits than `most` may look like."""
    return f"^{'-?' if signed else ''}0*[0-9]{{1,{len(str(int(most)))}}}{DECIMALS}$"
