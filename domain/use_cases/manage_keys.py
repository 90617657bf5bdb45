"""Make, rotate and revoke keys, and open and close sessions.

Each secret is made here, by `draw`, and returned this once: stores keep its hash. All functions also raise the errors
of `AccessKeys`.
"""

from collections.abc import Mapping

from domain.access.access_key import AccessKey, Grant
from domain.access.key_ring import CreateKey, RevokeKey, RotateKey
from domain.access.key_text import Draw, hash_of, is_key, make_key, make_token
from domain.access.ports import AccessKeys


async def create_key(
    keys: AccessKeys, raw: Mapping[str, object], *, draw: Draw, dry_run: bool = False
) -> tuple[AccessKey, str]:
    """Make a key from a raw document; return it with its secret. Raises `ValidationFailed` and `TooManyKeys`."""
    secret = make_key(draw)
    return await keys.change(CreateKey.parse(raw, secret), dry_run=dry_run), secret


async def rotate_key(
    keys: AccessKeys, id: int, raw: Mapping[str, object], *, draw: Draw, dry_run: bool = False
) -> tuple[AccessKey, str]:
    """Give a key a new secret; return both. Raises `ValidationFailed`, and `NotFound` for a key that is not valid."""
    secret = make_key(draw)
    return await keys.change(RotateKey.parse(id, raw, secret), dry_run=dry_run), secret


async def revoke_key(keys: AccessKeys, id: int, *, needed: bool = False, dry_run: bool = False) -> AccessKey:
    """End a key and its sessions. Raises `NotFound`, and `LastAdminKey` where the last admin key is `needed`."""
    return await keys.change(RevokeKey(id=id, needed=needed), dry_run=dry_run)


async def open_session(
    keys: AccessKeys, key: str, *, draw: Draw, instead_of: str | None = None
) -> tuple[Grant, str] | None:
    """Open a session for who shows a key, `instead_of` that with a token; return its grant and token.

    Returns None for a text that is no valid key; then the other session stays.
    """
    token = make_token(draw)
    grant = await keys.open_session(hash_of(token), hash_of(key)) if is_key(key) else None
    if grant is None:
        return None
    if instead_of is not None:
        await close_session(keys, instead_of)
    return grant, token


async def close_session(keys: AccessKeys, token: str) -> None:
    """End the session with a token, if there is one."""
    await keys.close_session(hash_of(token))
