"""The rules for text as regular expressions, in syntax that ECMA-262 and other dialects of OpenAPI tools share."""

from decimal import Decimal

from domain.field_types import String
from domain.parsing import DECIMALS
from domain.text import INVISIBLE, NOT_IN_LINE, NOT_IN_LINES, WHITE_SPACE, forbidden_character


def _escaped(characters: str) -> str:
    """Return the inside of a character class. All but the plainest characters are escaped."""
    return "".join(each if "!" <= each <= "~" else f"\\u{ord(each):04x}" for each in characters)


def _ranges(characters: str) -> str:
    """Return the inside of a character class of ascending `characters`. Neighbours are joined to ranges."""
    runs: list[str] = []
    for each in characters:
        if runs and ord(each) == ord(runs[-1][-1]) + 1:
            runs[-1] = f"{runs[-1][0]}-{each}"
        else:
            runs.append(each)
    return _escaped("".join(runs))


_SPACE = _ranges(WHITE_SPACE)
_NEITHER = _escaped(NOT_IN_LINE)
_AROUND = f"[{_SPACE}]*"  # these are trimmed
_HIDDEN = f"[{_escaped(INVISIBLE)}]"

ONE_LINE = f"^[^{_NEITHER}]*$"
LINES = f"^[^{_escaped(NOT_IN_LINES)}]*$"
CURSOR = "^[A-Za-z0-9_-]+$"
CURSOR_OR_NONE = "^[A-Za-z0-9_-]*$"

# A pattern should not decide which numbers and names are valid addresses.
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)"
_ADDRESS = rf"[Hh][Tt][Tt][Pp][Ss]?://{_HOST}(:[0-9]{{0,5}})?([/?#][^{_SPACE}{_NEITHER}\\]*)?"
URL = f"^{_ADDRESS}$"
SENT_URL = f"^{_AROUND}{_ADDRESS}{_AROUND}$"


def text_pattern(field_type: String) -> str:
    """Return the pattern of a text as it is sent, before it is trimmed. The pattern allows any length.

    It takes invisible characters beyond U+FFFF for visible, because dialects do not agree how a pattern names those.
    """
    first = f"({_HIDDEN}({_HIDDEN}|{_inside(field_type)})*)?[^{_SPACE}{_NEITHER}{_escaped(INVISIBLE)}]"
    rest = f"[^{_NEITHER}]"
    if field_type.alphabet is not None:
        first = rest = f"[{field_type.alphabet}]"
    elif field_type.lines:
        rest = f"([^{_escaped(NOT_IN_LINES)}]|\\r\\n)"
    return f"^{_AROUND}{first if field_type.least else ''}{rest}*{_AROUND}$"


def _inside(field_type: String) -> str:
    """Return what matches white space that may stand inside a text."""
    spaces = (each for each in WHITE_SPACE if forbidden_character(each, lines=field_type.lines) is None)
    return f"[{_ranges(''.join(spaces))}]" + ("|\\r\\n" if field_type.lines else "")


def amount_pattern(most: Decimal | int, *, signed: bool = False) -> str:
    """Return the pattern of an amount with at most as many digits as `most`."""
    return f"^{'-?' if signed else ''}0*[0-9]{{1,{len(str(int(most)))}}}{DECIMALS}$"
