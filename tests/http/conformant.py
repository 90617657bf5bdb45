"""Checks every response against the rules of RFC 9110, 9111 and 9112, whatever its content."""

import re
from collections.abc import Iterator

import httpx2

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\x20\t\x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
_ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e]*"')
_ALLOW = re.compile(r"[A-Z]+(, [A-Z]+)*")
_RANGE = re.compile(r"bytes ((\d+)-(\d+)/(\d+)|\*/(\d+))")
_REDIRECTS = (301, 302, 303, 307, 308)
_OF_CONTENT = ("content-type", "content-encoding", "content-range", "content-length")
_ONCE = {
    "age",
    "allow",
    "cache-control",
    "content-encoding",
    "date",
    "etag",
    "location",
    "retry-after",
    "vary",
    *_OF_CONTENT,
}
_NEEDED = {401: "www-authenticate", 405: "allow", 416: "content-range", 429: "retry-after", 503: "retry-after"}
_ELSEWHERE = {"content-range": (206, 416), "www-authenticate": (401,), "upgrade": (101, 426)}


class NotConformant(AssertionError):
    """A response that HTTP forbids."""


def check(response: httpx2.Response, *, whole: bool) -> None:
    """Raise `NotConformant` if a response breaks a rule of HTTP. The length of a `whole` response is checked, too."""
    violations = [*_fields(response), *_status(response), *_caching(response), *_content(response, whole=whole)]
    if violations:
        request = response.request
        raise NotConformant(f"{request.method} {request.url} {response.status_code}: {'; '.join(violations)}")


def _fields(response: httpx2.Response) -> Iterator[str]:
    names = [name.decode().lower() for name, _ in response.headers.raw]
    for name, value in response.headers.raw:
        if not _NAME.fullmatch(name):
            yield f"{name!r} is no name of a header"
        if not _VALUE.fullmatch(value):
            yield f"{value!r} is no value of a header"
    yield from (f"{name} comes {names.count(name)} times" for name in _ONCE if names.count(name) > 1)
    if "transfer-encoding" in names or "keep-alive" in names:
        yield "how the message is sent is the server's business"
    etag = response.headers.get("etag")
    if etag is not None and not _ETAG.fullmatch(etag):
        yield f"{etag} is no entity tag"
    if not _ALLOW.fullmatch(response.headers.get("allow", "GET")):
        yield "Allow is no list of methods"


def _status(response: httpx2.Response) -> Iterator[str]:
    status, headers, request = response.status_code, response.headers, response.request
    needed = _NEEDED.get(status)
    if needed is not None and needed not in headers:
        yield f"there is no {needed} (RFC 9110, 15)"
    for name, statuses in _ELSEWHERE.items():
        if name in headers and status not in statuses:
            yield f"{name} has no meaning here"
    if (status in _REDIRECTS or (status == 201 and request.method == "POST")) and "location" not in headers:
        yield "there is no Location"
    if status == 415 and not {"accept", "accept-patch", "accept-encoding"} & set(headers):
        yield "nothing says what is taken (RFC 9110, 15.5.16)"
    if status == 304 and not (request.method in ("GET", "HEAD") and "if-none-match" in request.headers):
        yield "nobody asked whether it changed"
    if status == 304 and "etag" not in headers:
        yield "a 304 must have the tag (RFC 9110, 15.4.5)"
    if status == 206 and not ("range" in request.headers and request.method == "GET"):
        yield "nobody asked for a part"
    if status >= 400 and headers.get("content-type") != "application/problem+json":
        yield "a refusal is no problem"
    if request.method == "OPTIONS" and status == 204 and "allow" not in headers:
        yield "OPTIONS names no methods"


def _caching(response: httpx2.Response) -> Iterator[str]:
    headers, request = response.headers, response.request
    policy = {each.strip() for each in headers.get("cache-control", "").split(",")} - {""}
    vary = {each.strip().lower() for each in headers.get("vary", "").split(",")}
    if not policy:
        yield "nothing says whether it may be kept"
    if "no-store" in policy and len(policy) > 1:
        yield "what nobody may keep has no other policy"
    if {"public", "private"} <= policy:
        yield "it is public and private"
    is_kept = "no-store" not in policy
    if is_kept and (response.is_error or request.method not in ("GET", "HEAD")):
        yield "a refusal or a write may be kept"
    if is_kept and response.status_code in (200, 206, 304) and "etag" not in headers:
        yield "what may be kept has no tag to ask by"
    if "accept-encoding" not in vary:
        yield "it does not say that it depends on Accept-Encoding"
    if (
        "access-control-allow-origin" in headers
        and headers["access-control-allow-origin"] != "*"
        and "origin" not in vary
    ):
        yield "it does not say that it depends on Origin"
    etag = headers.get("etag", "")
    if headers.get("content-encoding") == "gzip" and etag and not (etag.startswith("W/") or etag.endswith('-gzip"')):
        yield "its strong tag is that of other bytes"


def _content(response: httpx2.Response, *, whole: bool) -> Iterator[str]:
    status, headers, method = response.status_code, response.headers, response.request.method
    length = headers.get("content-length")
    if status in (204, 304):
        yield from (f"{name} of no content" for name in _OF_CONTENT if name in headers)
    if length is not None and not re.fullmatch("0|[1-9][0-9]*", length):
        yield f"{length} is no length"
    if status == 416 and not headers.get("content-range", "").startswith("bytes */"):
        yield "Content-Range does not tell the size"
    if not whole:
        return
    size = response.num_bytes_downloaded
    if size and (method == "HEAD" or status in (204, 304)):
        yield "there is content"
    if method != "HEAD" and status not in (204, 304) and length != str(size):
        yield f"it says that it has {length} bytes, and has {size}"
    if method != "HEAD" and size and "content-type" not in headers:
        yield "its content has no type"
    if status == 206:
        part = _RANGE.fullmatch(headers["content-range"])
        if part is None or part[2] is None or int(part[3]) - int(part[2]) + 1 != size:
            yield "it is not the part that it says"
