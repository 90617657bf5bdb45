"""The Idempotency-Key of a write, and the receipt under which its answer is kept."""

import hashlib
import re

import orjson

from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import BadHeader
from adapters.http.responses.responses import Response

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


def fingerprint(request: Request, body: bytes) -> bytes:
    """Return what tells this request from every other one that may come with the same key."""
    parts = (request.method.encode(), request.path.encode(), *(request.headers.get(name, b"") for name in _BOUND), body)
    return hashlib.sha256(b"".join([b"%d:%b" % (len(part), part) for part in parts])).digest()


def receipt(response: Response) -> bytes:
    """Return an answer as it is kept."""
    head = {"status": response.status, "headers": [(name.decode(), value.decode()) for name, value in response.headers]}
    return orjson.dumps(head) + b"\n" + response.body


def replay(receipt: bytes) -> Response:
    """Return the answer that was kept, marked as one."""
    head, _, body = receipt.partition(b"\n")
    kept = orjson.loads(head)
    headers = tuple((name.encode(), value.encode()) for name, value in kept["headers"])
    return Response(status=kept["status"], headers=headers, body=body).plus((b"idempotency-replayed", b"true"))
