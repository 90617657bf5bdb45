"""Rules for the head of a request that llhttp leaves to the server."""

import binascii
import re
from functools import lru_cache

from adapters.http.responses.http_errors import MalformedRequest
from adapters.http.responses.responses import Header

Headers = list[Header]

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(:[0-9]*)?")
_DECISIVE = frozenset((b"host", b"transfer-encoding"))  # a set, because the check runs for every header
_HANDSHAKE_VERSION = ((b"sec-websocket-version", b"13"),)


def check_head(version: str, headers: Headers) -> None:
    """Raise `MalformedRequest` unless the version, the framing and the host are unambiguous.

    Two servers could disagree about where such a request ends. So it is refused, not repaired (RFC 9112, 6.1 and 11.2).
    """
    hosts = 0
    for name, value in headers:
        if name not in _DECISIVE:
            continue
        if name == b"host":
            hosts += 1
            _check_host(value)
        elif version != "1.1" or value.lower() != b"chunked":
            raise MalformedRequest("the only Transfer-Encoding that is understood is chunked, with HTTP/1.1")
    if version != "1.1" and version != "1.0":  # noqa: PLR1714 - runs for every request, and costs half of `in`
        raise MalformedRequest("the HTTP version must be 1.1 or 1.0")
    if hosts != 1 and (hosts or version == "1.1"):
        raise MalformedRequest("a request needs exactly one Host header")


def origin_form(method: bytes, target: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """Return the target as a plain path, with headers whose Host is the one that the target names.

    `*` stays as it is, for OPTIONS only. Raises `MalformedRequest` for every other target (RFC 9112, 3.2).
    """
    if target == b"*" and method == b"OPTIONS":
        return target, headers
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() not in {b"http", b"https"}:
        raise MalformedRequest("the request target must be a path, or a URL of http")
    authority = re.split(rb"[/?]", rest, maxsplit=1)[0]
    _check_host(authority)
    path = rest.removeprefix(authority)
    rest_of_headers = [header for header in headers if header[0] != b"host"]
    return path if path.startswith(b"/") else b"/" + path, [(b"host", authority), *rest_of_headers]


def check_handshake(method: bytes, version: str, headers: Headers) -> None:
    """Raise `MalformedRequest` unless this is the opening handshake of a WebSocket (RFC 6455, 4.2.1)."""
    has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in headers)
    if method != b"GET" or version != "1.1" or has_body:
        raise MalformedRequest("a WebSocket is opened by a GET with HTTP/1.1 and no body")
    if _values(b"sec-websocket-version", headers) != [b"13"]:
        raise MalformedRequest("Sec-WebSocket-Version must be 13", headers=_HANDSHAKE_VERSION)
    keys = _values(b"sec-websocket-key", headers)
    if len(keys) != 1 or not _is_key(keys[0]):
        raise MalformedRequest("Sec-WebSocket-Key must be 16 bytes in base64")
    try:
        _values(b"host", headers)[0].decode("idna").encode("idna")  # as wsproto does, which does not catch the error
    except UnicodeError as error:
        raise MalformedRequest("the Host header is not a host") from error


@lru_cache(maxsize=64)  # a service has few names, and the regular expression takes five times as long
def _check_host(host: bytes) -> None:
    if not _HOST.fullmatch(host):
        raise MalformedRequest("the Host header is not a host")


def _values(name: bytes, headers: Headers) -> list[bytes]:
    return [value for key, value in headers if key == name]


def _is_key(value: bytes) -> bool:
    try:
        return len(binascii.a2b_base64(value, strict_mode=True)) == 16
    except binascii.Error:
        return False
