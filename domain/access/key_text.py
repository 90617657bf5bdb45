"""The form of a key: `brm_`, 30 base62 characters, and their CRC-32 in 6 more.

The prefix lets scanners of public text find a key. The checksum shows a typing error without a look-up. The token of a
session and the secret in the URL of a calendar look the same, but for their prefixes, `brs_` and `brc_`.
"""

import re
from binascii import crc32
from collections.abc import Callable
from hashlib import sha256

PREFIX, SESSION_PREFIX, CALENDAR_PREFIX = "brm_", "brs_", "brc_"
RANDOM_CHARACTERS = 30  # of which there are 62: 178 bits
SUM_CHARACTERS = 6  # the least that hold 32 bits
LAST_SHOWN = 4

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE = len(ALPHABET)
_VALUES = bytes(max(0, ALPHABET.find(chr(code))) for code in range(256))  # of the digits, by their codes
_REST = rf"[0-9A-Za-z]{{{RANDOM_CHARACTERS + SUM_CHARACTERS}}}"
KEY = re.compile(PREFIX + _REST)
CALENDAR = re.compile(CALENDAR_PREFIX + _REST)
_CREDENTIAL = re.compile(rf"(?:{PREFIX}|{SESSION_PREFIX}){_REST}")
_PREFIX = re.compile(f"{PREFIX}|{SESSION_PREFIX}|{CALENDAR_PREFIX}")
_SECRET = re.compile(rf"(?:{_PREFIX.pattern}){_REST}")

Draw = Callable[[str], str]
"""Returns one of some characters, chosen by a secure random source."""


def make_key(draw: Draw) -> str:
    """Return a new key."""
    return _made(PREFIX, draw)


def make_token(draw: Draw) -> str:
    """Return a new token of a session."""
    return _made(SESSION_PREFIX, draw)


def make_calendar_secret(draw: Draw) -> str:
    """Return a new secret for the URL of a calendar."""
    return _made(CALENDAR_PREFIX, draw)


def is_key(text: str) -> bool:
    """Tell whether a text can be a key: it has the form, and its sum is right."""
    return KEY.fullmatch(text) is not None and _is_summed(text)


def is_calendar_secret(text: str) -> bool:
    """Tell whether a text can be the secret of a calendar."""
    return CALENDAR.fullmatch(text) is not None and _is_summed(text)


def holds_credential(text: str) -> bool:
    """Tell whether a text contains something that looks like a key or a token, which never belong into a URL."""
    return "br" in text and _CREDENTIAL.search(text) is not None


def holds_secret(text: str) -> bool:
    """Tell whether a text contains something that looks like a key, a token or the secret of a calendar."""
    return "br" in text and _SECRET.search(text) is not None


def begins_secret(text: str) -> bool:
    """Tell whether a text contains the prefix of a secret, which may be the beginning of one that was cut off."""
    return "br" in text and _PREFIX.search(text) is not None


def hash_of(secret: str) -> bytes:
    """Return the hash of a secret; it is stored, and looked up."""
    return sha256(secret.encode()).digest()


def _made(prefix: str, draw: Draw) -> str:
    drawn = "".join([draw(ALPHABET) for _ in range(RANDOM_CHARACTERS)])
    return f"{prefix}{drawn}{_sum(drawn)}"


def _is_summed(text: str) -> bool:
    typed = text.encode()
    a, b, c, d, e, f = typed[-SUM_CHARACTERS:].translate(_VALUES)  # not in a loop: this runs for every request
    number = ((((a * _BASE + b) * _BASE + c) * _BASE + d) * _BASE + e) * _BASE + f
    return number == crc32(typed[-SUM_CHARACTERS - RANDOM_CHARACTERS : -SUM_CHARACTERS])


def _sum(drawn: str) -> str:
    number, digits = crc32(drawn.encode()), ""
    for _ in range(SUM_CHARACTERS):
        number, digit = divmod(number, _BASE)
        digits = ALPHABET[digit] + digits
    return digits
