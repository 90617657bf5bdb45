"""The commands that make, list, rotate and revoke keys. They work on the store itself, with the service running or not.

A new key is all that is written to stdout, so that a script can take it from there; everything else goes to stderr.
"""

import asyncio
import secrets
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from os import environ
from typing import Any, Protocol

from domain.access.access_key import OPEN, AccessKey
from domain.access.key_ring import OVERLAP, CreateKey, RevokeKey, RotateKey
from domain.access.key_text import make_key
from domain.access.ports import AccessKeys
from domain.access.scopes import Scope
from domain.errors import DomainError
from entrypoints.diagnostics import LOG
from entrypoints.settings import PREFIX, Settings, duration, store
from entrypoints.store_errors import reason, shown

DONE, FAILED, BAD_USAGE = 0, 1, 2

Work = Callable[[AccessKeys, Namespace], Coroutine[Any, Any, None]]


class _Commands(Protocol):
    def add_parser(self, name: str, **facts: Any) -> ArgumentParser: ...


def add_parsers(commands: _Commands) -> None:
    """Add the commands to the command line, as `keys` with an `action`."""
    keys = commands.add_parser("keys", help="make, list, rotate and revoke keys", description=__doc__)
    keys.add_argument("--store", metavar="STORE", help=f"where the data is kept ({PREFIX}STORE)")
    actions = keys.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a key, and print it, this once")
    create.add_argument("name", metavar="NAME", help="whose it is, or what it is for")
    create.add_argument("--scope", required=True, choices=[each.value for each in Scope], help="what it is good for")
    create.add_argument("--expires", metavar="DURATION", help="such as 12h or 30d; by default it does not expire")
    actions.add_parser("list", help="list keys, without what is secret of them")
    rotate = actions.add_parser("rotate", help="give a key a new secret, and print it, this once")
    rotate.add_argument("id", metavar="ID", type=int)
    rotate.add_argument("--overlap", metavar="DURATION", help="how long the old secret holds: 0s to 24h, the default")
    revoke = actions.add_parser("revoke", help="end a key and its sessions, at once")
    revoke.add_argument("id", metavar="ID", type=int)


def run(chosen: Namespace) -> int:
    """Carry out a command, and return the exit code."""
    url: str = chosen.store or environ.get(f"{PREFIX}STORE") or Settings().store
    if fault := _fault(url, chosen):
        LOG.error("%s", fault)
        return BAD_USAGE
    try:
        asyncio.run(_with_keys(url, lambda keys: _WORK[chosen.action](keys, chosen)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
        LOG.error("%s", reason(error) if isinstance(error, DomainError) else f"{shown(url)}: {reason(error)}")
        return FAILED
    return DONE


def is_open(url: str) -> bool:
    """Tell whether there never was a key in a store. Raises what opening it raises."""
    return asyncio.run(_with_keys(url, lambda keys: keys.look_up(None))) is OPEN


async def _with_keys(url: str, work: Callable[[AccessKeys], Any]) -> Any:
    from entrypoints.wiring import opened  # noqa: PLC0415 - other commands start faster without an adapter

    opened_store = await opened(url)
    try:
        return await work(opened_store.access_keys)
    finally:
        await opened_store.close()


def _fault(url: str, chosen: Namespace) -> str | None:
    if url == "memory://":
        return "memory:// keeps no keys that another process could see; make them with POST /keys"
    try:
        store(url)
    except ValueError as error:
        return f"STORE {error}"
    for name in ("expires", "overlap"):
        text = getattr(chosen, name, None)
        try:
            given = None if text is None else duration(text)
        except ValueError as error:
            return f"--{name} {error}, not {text!r}"
        if name == "overlap" and given is not None and given > OVERLAP:
            return "--overlap must be 24h at most"
    return None


async def _create(keys: AccessKeys, chosen: Namespace) -> None:
    secret = make_key(secrets.choice)
    raw = {"name": chosen.name, "scope": chosen.scope}
    if chosen.expires is not None:
        raw["expires_at"] = (_now() + duration(chosen.expires)).isoformat()
    key = await keys.change(CreateKey.parse(raw, secret))
    _say(f"made key {key.id}, {key.name}, with scope {key.scope.value}; it is shown this once:")
    print(secret)


async def _list(keys: AccessKeys, chosen: Namespace) -> None:
    del chosen
    rows: list[tuple[str, ...]] = [("id", "name", "scope", "ends in", "created", "last used", "state")]
    rows += [_row(key, _now()) for key in await keys.keys()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


async def _rotate(keys: AccessKeys, chosen: Namespace) -> None:
    secret = make_key(secrets.choice)
    overlap = OVERLAP if chosen.overlap is None else duration(chosen.overlap)
    key = await keys.change(RotateKey(id=chosen.id, secret=secret, overlap=overlap))
    _say(f"key {key.id}, {key.name}, has a new secret, and the old one holds for {overlap.total_seconds():.0f} s;")
    _say("it is shown this once:")
    print(secret)


async def _revoke(keys: AccessKeys, chosen: Namespace) -> None:
    key = await keys.change(RevokeKey(id=chosen.id))
    _say(f"key {key.id}, {key.name}, is revoked")


_WORK: Mapping[str, Work] = {"create": _create, "list": _list, "rotate": _rotate, "revoke": _revoke}


def _row(key: AccessKey, at: datetime) -> tuple[str, ...]:
    state = "valid" if key.expires_at is None else f"until {_written(key.expires_at)}"
    if key.revoked_at is not None:
        state = f"revoked {_written(key.revoked_at)}"
    elif not key.is_valid(at):
        state = "expired"
    created, used = _written(key.created_at), "never" if key.last_used_at is None else _written(key.last_used_at)
    return str(key.id), key.name, key.scope.value, f"…{key.last_four}", created, used, state


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _now() -> datetime:
    from entrypoints.wiring import now  # noqa: PLC0415 - as above

    return now()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
