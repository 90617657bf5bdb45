"""The Idempotency-Key of a write, and the responses that earlier versions stored under a key."""

import hashlib
import re

import orjson

from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import BadHeader
from adapters.http.responses.responses import Response
from domain.decisions import EarlierAnswer

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_BOUND = (b"if-match", b"content-type")


def key_name(request: Request) -> str | None:
    """Return the key, without the quotes of a structured field (RFC 9651), or None. Raises `BadHeader`."""
    header = request.header(b"idempotency-key")
    if header is None:
        return None
    if len(header) >= 2 and header[0] == header[-1] == '"':
        header = re.sub(r'\\(["\\])', r"\1", header[1:-1])
    if not _KEY.fullmatch(header):
        raise BadHeader("Idempotency-Key must have 1 to 255 visible ASCII characters")
    return header


def refuse_key(request: Request) -> None:
    """Raise `BadHeader` for a request with a key, where the stored answer would hold a secret."""
    if b"idempotency-key" in request.headers:
        raise BadHeader("Idempotency-Key would keep the secret of the answer, so it is not taken here")


def fingerprint(request: Request, body: bytes) -> bytes:
    """Return what distinguishes this request from any other with the same key."""
    parts = (request.method.encode(), request.path.encode(), *(request.headers.get(name, b"") for name in _BOUND), body)
    return hashlib.sha256(b"".join([b"%d:%b" % (len(part), part) for part in parts])).digest()


def earlier_answer(kept: EarlierAnswer) -> Response:
    """Return a response that an earlier version stored."""
    head, _, body = kept.partition(b"\n")
    facts = orjson.loads(head)
    headers = tuple((name.encode(), value.encode()) for name, value in facts["headers"])
    return Response(status=facts["status"], headers=headers, body=body)
