"""Cursors of lists: the place where a page ended, bound to the query that it came from and signed against tampering."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from attrs import field, frozen

from backroom.domain.errors import BadCursor
from backroom.domain.queries import Place, Query

_SIGNATURE = 12
"""Bytes of the signature (RFC 2104 allows no fewer than half of the hash, or 80 bits)."""


@frozen
class ListCursors:
    """Writes and reads the cursors of lists with a secret that every process shares."""

    secret: bytes = field(repr=False)

    def write(self, query: Query[Any], place: Place) -> str:
        """Return the cursor of a place in the order of a query."""
        text = orjson.dumps([_plain(each) for each in place])
        return _encoded(self._sign(query, text) + text)

    def read(self, query: Query[Any], cursor: str) -> Place:
        """Return the place of a cursor. Raises `BadCursor` for one of another query, and for what is none at all."""
        try:
            raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            raise BadCursor from None
        signature, text = raw[:_SIGNATURE], raw[_SIGNATURE:]
        # Decoding passes over what is no character of Base64, so the cursor is compared with how it was written, too.
        if not hmac.compare_digest(signature, self._sign(query, text)) or _encoded(raw) != cursor:
            raise BadCursor
        return tuple(_revived(each) for each in orjson.loads(text))

    def _sign(self, query: Query[Any], text: bytes) -> bytes:
        return hmac.digest(self.secret, _bound(query) + b"\x00" + text, "sha256")[:_SIGNATURE]


def _bound(query: Query[Any]) -> bytes:
    """Return what tells queries apart by what they list, and in which order."""
    if query.is_plain:
        return query.kind.name.encode()
    order = [(each.field.name, each.descending) for each in query.order]
    where = sorted((each.field.name, each.operator.value, str(each.operand)) for each in query.where)
    return repr((query.kind.name, order, where, query.search)).encode()


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _plain(key: Any) -> Any:
    match key:
        case datetime():
            return ["t", key.isoformat()]
        case date():
            return ["d", key.isoformat()]
        case Decimal():
            return ["n", str(key)]
        case _:
            return key


def _revived(key: Any) -> Any:
    if not isinstance(key, list):
        return key
    kind, text = key
    revive: dict[str, Callable[[str], Any]] = {"t": datetime.fromisoformat, "d": date.fromisoformat, "n": Decimal}
    return revive[kind](text)
