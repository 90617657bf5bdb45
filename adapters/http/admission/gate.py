"""The gate: every request shows its credential, and every operation names the scope that it needs."""

import asyncio
import ipaddress
from collections.abc import Awaitable
from datetime import datetime
from functools import lru_cache
from math import ceil
from urllib.parse import unquote_plus

from attrs import define, field

from adapters.http.admission.credentials import NO_CREDENTIAL, Shown, shown_by
from adapters.http.admission.live_grants import LiveGrants
from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import Forbidden, RateLimited, Unauthorized
from adapters.http.responses.responses import Header
from domain.access.access_key import OPEN, Grant
from domain.access.key_text import holds_credential
from domain.access.ports import AccessKeys
from domain.access.rate_limit import FAILED_TRIES, SECOND, Quota, RateLimiter, Verdict
from domain.access.scopes import AccessScope
from domain.errors import BadParameter, DomainError

IPV6_PREFIX = 64
"""Bits of an IPv6 address that identify a client. One client has every address with the same first bits."""


UNGUARDED = (
    "there is no key yet, and others can reach this address: make the first one with `backroom keys create NAME --scope"
    " admin`, or allow that by BACKROOM_OPEN"
)


@define(eq=False)
class Gate:
    """Admits requests, or refuses them.

    The key is looked up for each request. So a revoked key fails at the next request, in every process.
    """

    keys: AccessKeys
    limiter: RateLimiter
    quota: Quota | None = None
    allow_public: bool = False  # without a key, also where others than this machine can reach the service
    live: LiveGrants = field(init=False)

    _policy: bytes = field(init=False)
    _used: set[int] = field(factory=set, init=False)
    _shown: dict[tuple[str, bytes | None, bytes | None], Shown] = field(factory=dict, init=False, repr=False)

    @live.default
    def _make_live(self) -> LiveGrants:
        return LiveGrants(self.keys)

    @_policy.default
    def _write_policy(self) -> bytes:
        return b"" if self.quota is None else b'"default";q=%d;w=%d' % (self.quota.amount, self.quota.window)

    def admit(self, request: Request, needed: AccessScope | None) -> Awaitable[None]:
        """Begin to look for the grant of a request, and return what waits for it and notes it.

        An operation that needs no scope only counts against the rate limit. Raises `Unauthorized`, `Forbidden`,
        `RateLimited`, `BadParameter` and `BadHeader`, some of them at once.
        """
        if _holds_key(request):
            raise BadParameter("a key does not belong into a URL, where others can read it; send Authorization: Bearer")
        if needed is None:
            self._count(request, None)
            return _admitted()
        shown = self._shown_by(request)
        return self._admitted(request, needed, shown, self.keys.look_up(shown.hash))

    async def _admitted(
        self, request: Request, needed: AccessScope, shown: Shown, looked_up: Awaitable[Grant | None]
    ) -> None:
        grant = await looked_up
        if grant is not None and grant.type is not None and grant.type is not shown.type:
            grant = None
        self._count(request, grant)
        if grant is OPEN and not self.allow_public and not is_local(request.reached_at):
            raise Unauthorized(UNGUARDED)
        if grant is None:
            raise self.refusal(request, shown)
        if grant.actor is not None:
            self._used.add(grant.actor.key)
            request.credential = shown.hash
        request.grant = grant
        if not grant.scope.includes(needed):
            raise Forbidden(f"this needs a key with the scope {needed.value}, and this one has {grant.scope.value}")

    def refusal(self, request: Request, shown: Shown) -> Unauthorized | RateLimited:
        """Return the error for a request without a valid credential. A caller that tries too many keys must wait."""
        if not shown.tried:
            return Unauthorized("this needs a key: send Authorization: Bearer brm_…")
        invalid = Unauthorized("this key is not valid: it is mistyped, unknown, expired or revoked")
        return self.failed_try(request) or invalid

    def failed_try(self, request: Request) -> RateLimited | None:
        """Count a try with a wrong secret. Return the error for a caller that has tried too many."""
        verdict = self.limiter.take(b"failed %b" % subject_of(request.address), FAILED_TRIES)
        if verdict.allowed:
            return None
        return RateLimited("too many tries with secrets that are not valid", headers=(_retry_after(verdict),))

    async def note_uses(self, at: datetime) -> None:
        """Store which keys were used since the last time. If the store fails, this raises its error and keeps them."""
        used, self._used = self._used, set()
        try:
            if used:
                await self.keys.touch(dict.fromkeys(used, at))
        except DomainError:
            self._used |= used
            raise

    def _shown_by(self, request: Request) -> Shown:
        """Return the credential of a request. One is parsed once in a turn of the event loop, then forgotten."""
        authorization, cookie = request.headers.get(b"authorization"), request.headers.get(b"cookie")
        if authorization is None and cookie is None:
            return NO_CREDENTIAL
        sent = (request.scheme, authorization, cookie)
        shown = self._shown.get(sent)
        if shown is None:
            shown = shown_by(request)
            asyncio.get_running_loop().call_soon(self._shown.clear)
            self._shown[sent] = shown
        return shown

    def _count(self, request: Request, grant: Grant | None) -> None:
        if self.quota is None:
            return
        known = grant is not None and grant.actor is not None
        subject = grant.caller.encode() if known and grant is not None else subject_of(request.address)
        verdict = self.limiter.take(subject, self.quota)
        request.limit = _fields(self._policy, verdict)
        if not verdict.allowed:
            raise RateLimited("too many requests", headers=(_retry_after(verdict),))


async def _admitted() -> None:
    """Wait for nothing."""


def _holds_key(request: Request) -> bool:
    if holds_credential(request.path):
        return True
    if not request.query:
        return False
    query = request.query.decode("latin-1")
    return holds_credential(unquote_plus(query) if "%" in query else query)


@lru_cache(64)
def is_local(address: str) -> bool:
    """Tell whether only this machine can reach our address: a loopback address, or the path of a socket."""
    if address.startswith("/"):
        return True
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


@lru_cache(1024)
def subject_of(address: str) -> bytes:
    """Return the client that an address stands for. IPv6 addresses with the same prefix are one client."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address.encode()
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return parsed.packed[: IPV6_PREFIX // 8]
        parsed = parsed.ipv4_mapped
    return parsed.packed


def _fields(policy: bytes, verdict: Verdict) -> tuple[Header, ...]:
    """Return the RateLimit fields (draft-ietf-httpapi-ratelimit-headers)."""
    left = b'"default";r=%d;t=%d' % (verdict.remaining, ceil(verdict.reset / SECOND))
    return (b"ratelimit-policy", policy), (b"ratelimit", left)


def _retry_after(verdict: Verdict) -> Header:
    return (b"retry-after", b"%d" % max(1, ceil(verdict.wait / SECOND)))
