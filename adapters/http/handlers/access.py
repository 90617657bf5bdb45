"""Keys and sessions. A secret is shown once; later responses leave it out."""

import secrets
from typing import Any

from attrs import frozen

from adapters.http.admission.credentials import Shown, cookie_name, session_token
from adapters.http.admission.gate import Gate
from adapters.http.handlers.idempotency import refuse_key
from adapters.http.handlers.submitting import applied, only_validates
from adapters.http.requests.bodies import check_media_type, object_of, read_body, read_object
from adapters.http.requests.parameters import identifier
from adapters.http.requests.request import Request
from adapters.http.responses.responses import Header, Response, json_response
from adapters.serialization.times import timestamp
from domain.access.access_key import AccessKey, Grant
from domain.access.key_ring import SESSION_LASTS
from domain.errors import Violations
from domain.use_cases import manage_keys


@frozen(kw_only=True, eq=False)
class AccessHandlers:
    """The operations on keys and sessions. `is_public` tells that other machines can reach the service."""

    gate: Gate
    max_body: int
    is_public: bool

    async def list(self, request: Request) -> Response:
        """Respond with all keys, without their secrets."""
        del request
        keys = [_document(each) for each in await self.gate.keys.keys()]
        return json_response({"keys": keys, "count": len(keys)})

    async def create(self, request: Request) -> Response:
        """Create a key from the body."""
        refuse_key(request)
        _, raw = await read_object(request, self.max_body)
        dry_run = only_validates(request)
        key, secret = await manage_keys.create_key(self.gate.keys, raw, draw=secrets.choice, dry_run=dry_run)
        location = (b"location", f"{request.root}/keys/{key.id}".encode())
        return json_response({**_document(key), "key": secret}, location, *applied(request), status=201)

    async def rotate(self, request: Request) -> Response:
        """Give a key a new secret."""
        refuse_key(request)
        id, body = identifier(request), await read_body(request, self.max_body)
        if body:
            check_media_type(request)
        raw, dry_run = object_of(body) if body else {}, only_validates(request)
        key, secret = await manage_keys.rotate_key(self.gate.keys, id, raw, draw=secrets.choice, dry_run=dry_run)
        return json_response({**_document(key), "key": secret}, *applied(request))

    async def revoke(self, request: Request) -> Response:
        """Revoke a key."""
        refuse_key(request)
        await read_body(request, self.max_body)
        id, dry_run = identifier(request), only_validates(request)
        key = await manage_keys.revoke_key(self.gate.keys, id, needed=self.is_public, dry_run=dry_run)
        return json_response({"deleted": _document(key)}, *applied(request))

    async def open_session(self, request: Request) -> Response:
        """Open a session for the browser that shows a key, so that it need not send the key again."""
        refuse_key(request)
        _, raw = await read_object(request, self.max_body)
        key, before = _shown_key(raw), session_token(request)
        opened = await manage_keys.open_session(self.gate.keys, key, draw=secrets.choice, instead_of=before)
        if opened is None:
            raise self.gate.refusal(request, Shown(tried=True))
        grant, token = opened
        return json_response(_granted(grant), _cookie(request, token, int(SESSION_LASTS.total_seconds())))

    async def session(self, request: Request) -> Response:
        """Respond with the caller's name and scopes."""
        return json_response(_granted(request.grant))

    async def close_session(self, request: Request) -> Response:
        """End the session of this browser, if it has one."""
        await read_body(request, self.max_body)
        if (token := session_token(request)) is not None:
            await manage_keys.close_session(self.gate.keys, token)
        return Response(status=204, headers=(_cookie(request, "", 0),))


def _document(key: AccessKey) -> dict[str, Any]:
    times = ("created_at", "expires_at", "last_used_at", "revoked_at")
    told = {name: None if (at := getattr(key, name)) is None else timestamp(at) for name in times}
    return {"id": key.id, "name": key.name, "scope": key.scope.value, "last_four": key.last_four, **told}


def _granted(grant: Grant) -> dict[str, Any]:
    return {
        "key": grant.actor and {"id": grant.actor.key, "name": grant.actor.name},
        "scope": grant.scope.value,
        "by": grant.type and grant.type.value,
        "expires_at": grant.expires_at and timestamp(grant.expires_at),
    }


def _cookie(request: Request, token: str, seconds: int) -> Header:
    secure = "; Secure" if request.scheme == "https" else ""
    text = f"{cookie_name(request)}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    return b"set-cookie", text.encode()


def _shown_key(raw: dict[str, Any]) -> str:
    """Return the key in a document. An error never repeats the key."""
    violations, key = Violations(), raw.get("key")
    if key is None:
        violations.add("key", "required", "is required")
    elif not isinstance(key, str):
        violations.add("key", "wrong_type", "must be text")
    for name in raw:
        if name != "key":
            violations.add(name, "unknown_field", "is not a field")
    if violations.told:
        raise violations.failure()
    assert isinstance(key, str)
    return key
