"""The commands that make, list, rotate and revoke keys. They work on the store itself, with the service running or not.

Only a new key goes to stdout, so a script can take it from there; everything else goes to stderr.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import click

from domain.access.access_key import OPEN, AccessKey
from domain.access.key_ring import OVERLAP
from domain.access.ports import AccessKeys
from domain.access.scopes import AccessScope
from domain.errors import DomainError
from domain.use_cases import manage_keys
from entrypoints.diagnostics import LOG, tell
from entrypoints.settings import PREFIX, duration, store
from entrypoints.store_errors import reason, shown
from entrypoints.store_location import url_of

DONE, FAILED = 0, 1

_SCOPES = [each.value for each in AccessScope]

Work = Callable[[AccessKeys], Coroutine[Any, Any, None]]


class _Duration(click.ParamType[timedelta]):
    """A duration such as 90s, 15m, 24h or 30d; at most `most`, if given."""

    name = "duration"

    def __init__(self, most: timedelta | None = None) -> None:
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            given = duration(value)
        except ValueError as error:
            self.fail(f"{error}, not {value!r}", param, ctx)
        if self._most is not None and given > self._most:
            self.fail(f"must be {self._most.total_seconds() / 3600:.0f}h at most", param, ctx)
        return given


@click.group
@click.option("--store", "url", metavar="STORE", help=f"Where the data is kept ({PREFIX}STORE).")
@click.pass_context
def command(context: click.Context, url: str | None) -> None:
    r"""Make, list, rotate and revoke keys.

    They work on the store itself, with the service running or not. A new key is all that is written to stdout.

    \b
    Example:
      KEY=$(backroom keys create "till 2" --scope write --expires 30d)
    """
    context.obj = url_of(url)
    if fault := _fault(context.obj):
        raise click.UsageError(fault)


@command.command
@click.argument("name")
@click.option("--scope", required=True, type=click.Choice(_SCOPES), help="What it is good for.")
@click.option("--expires", type=_Duration(), help="Such as 12h or 30d; by default it does not expire.")
@click.pass_obj
def create(url: str, name: str, scope: str, expires: timedelta | None) -> int:
    r"""Make a key for NAME, and print it, this once.

    \b
    Example:
      backroom keys create "till 2" --scope write
    """
    return _run(url, lambda keys: _create(keys, name, scope, expires))


@command.command("list")
@click.pass_obj
def list_keys(url: str) -> int:
    r"""List the keys, without what is secret of them.

    \b
    Example:
      backroom keys list
    """
    return _run(url, _list)


@command.command
@click.argument("id", type=int)
@click.option(
    "--overlap", type=_Duration(OVERLAP), default=OVERLAP, help="How long the old secret holds: 0s to 24h, the default."
)
@click.pass_obj
def rotate(url: str, id: int, overlap: timedelta) -> int:
    r"""Give the key ID a new secret, and print it, this once.

    \b
    Example:
      backroom keys rotate 1 --overlap 1h
    """
    return _run(url, lambda keys: _rotate(keys, id, overlap))


@command.command
@click.argument("id", type=int)
@click.pass_obj
def revoke(url: str, id: int) -> int:
    r"""End the key ID and its sessions, at once.

    \b
    Example:
      backroom keys revoke 1
    """
    return _run(url, lambda keys: _revoke(keys, id))


def _run(url: str, work: Work) -> int:
    """Run an action on the keys of a store, and return the exit code."""
    try:
        asyncio.run(_with_keys(url, work))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
        LOG.error("%s", reason(error) if isinstance(error, DomainError) else f"{shown(url)}: {reason(error)}")
        return FAILED
    return DONE


def is_open(url: str) -> bool:
    """Tell whether there never was a key in a store. Raises what opening it raises."""
    return asyncio.run(_with_keys(url, lambda keys: keys.look_up(None))) is OPEN


async def _with_keys(url: str, work: Callable[[AccessKeys], Any]) -> Any:
    from entrypoints.stores import opened  # noqa: PLC0415 - other commands start faster without an adapter

    opened_store = await opened(url)
    try:
        return await work(opened_store.access_keys)
    finally:
        await opened_store.close()


def _fault(url: str) -> str | None:
    if url == "memory://":
        return "memory:// keeps no keys that another process could see; make them with POST /keys"
    try:
        store(url)
    except ValueError as error:
        return f"STORE {error}"
    return None


async def _create(keys: AccessKeys, name: str, scope: str, expires: timedelta | None) -> None:
    raw = {"name": name, "scope": scope}
    if expires is not None:
        raw["expires_at"] = (_now() + expires).isoformat()
    key, secret = await manage_keys.create_key(keys, raw, draw=secrets.choice)
    tell(f"made key {key.id}, {key.name}, with scope {key.scope.value}; it is shown this once:")
    print(secret)


async def _list(keys: AccessKeys) -> None:
    rows: list[tuple[str, ...]] = [("id", "name", "scope", "ends in", "created", "last used", "state")]
    rows += [_row(key, _now()) for key in await keys.keys()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


async def _rotate(keys: AccessKeys, id: int, overlap: timedelta) -> None:
    lasts = f"{overlap.total_seconds():.0f}"
    key, secret = await manage_keys.rotate_key(keys, id, {"overlap": f"{lasts}s"}, draw=secrets.choice)
    tell(f"key {key.id}, {key.name}, has a new secret, and the old one holds for {lasts} s;")
    tell("it is shown this once:")
    print(secret)


async def _revoke(keys: AccessKeys, id: int) -> None:
    key = await manage_keys.revoke_key(keys, id)
    tell(f"key {key.id}, {key.name}, is revoked")


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
    from entrypoints.stores import now  # noqa: PLC0415 - as above

    return now()
