"""The credential of a request: a key in Authorization, or the cookie of a session."""

import re
from typing import NamedTuple

from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import BadHeader
from domain.access.access_key import CredentialType
from domain.access.key_text import hash_of, is_key

COOKIE = "backroom_session"
SECURE_COOKIE = f"__Host-{COOKIE}"  # browsers accept it over https only, and for this host only

_BEARER = re.compile(r"Bearer +([^\s,]+) *", re.IGNORECASE)
_TWO = re.compile(r"[^,]+,\s*[A-Za-z]+ +[^=,]+")


class Shown(NamedTuple):
    """The credential of a request. Text that cannot be a key has no hash. `tried` tells that a key was meant."""

    type: CredentialType | None = None
    hash: bytes | None = None
    tried: bool = False


NO_CREDENTIAL = Shown()
_NO_KEY = Shown(tried=True)


def shown_by(request: Request) -> Shown:
    """Return the credential of a request. A key counts before a cookie. Raises `BadHeader` for two keys."""
    authorization = request.headers.get(b"authorization")
    if authorization is not None:
        return _key(authorization.decode("latin-1"))
    token = session_token(request)
    return NO_CREDENTIAL if token is None else Shown(CredentialType.SESSION, hash_of(token))


def is_by_cookie(request: Request) -> bool:
    """Tell whether the credential is a cookie, which a browser adds by itself."""
    return b"authorization" not in request.headers and session_token(request) is not None


def session_token(request: Request) -> str | None:
    """Return the token of a session, or None if the request has no cookie of this service."""
    cookies = request.headers.get(b"cookie")
    if cookies is None:
        return None
    wanted = cookie_name(request)
    for each in cookies.decode("latin-1").split(";"):
        name, _, value = each.strip().partition("=")
        if name == wanted and value:
            return value
    return None


def cookie_name(request: Request) -> str:
    """Return the name of the cookie, which depends on the scheme of the request."""
    return SECURE_COOKIE if request.scheme in ("https", "wss") else COOKIE


def _key(authorization: str) -> Shown:
    if authorization.startswith("Bearer ") and is_key(key := authorization[7:]):  # as nearly always
        return Shown(CredentialType.KEY, hash_of(key), tried=True)
    found = _BEARER.fullmatch(authorization)
    if found is None:
        if _TWO.fullmatch(authorization):
            raise BadHeader("Authorization was sent twice")
        return _NO_KEY
    return Shown(CredentialType.KEY, hash_of(found[1]), tried=True) if is_key(found[1]) else _NO_KEY
