"""The command that shows the settings and the store as they are, and says what needs attention."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from domain.snapshot import SchemaTooOld
from domain.status import Concern, StoreStatus, concerns
from entrypoints.copying import fault
from entrypoints.output import Output, output_options
from entrypoints.settings import PREFIX, BadSettings, Settings, load, sources, unknown, written
from entrypoints.store_errors import reason, shown
from entrypoints.store_location import absolute, file_of, overlooked, url_of
from entrypoints.stores import examined, now, renamed

WELL, ILL, FAILED = 0, 1, 1

PROGRAM = Path(__file__).parents[2]
PACKAGES = ("backroom", "starlette", "uvicorn", "httptools", "apsw", "asyncpg", "attrs", "cattrs", "orjson", "click")
WIDTH = 28

Section = Mapping[str, str]


@click.command
@click.argument("store", metavar="[STORE]", required=False)
@click.option("--new-log", is_flag=True, help="Give the log a new name, because this store is a copy, or went back.")
@output_options
def command(store: str | None, new_log: bool, mode: str | None) -> int:
    r"""Show the settings and the store as they are, and what needs attention.

    The exit code is 1 if the service could not work so. With --new-log, the log of a store gets a new name, which takes
    a moment and a service that is stopped: cursors that were given until now go on, and later ones of the original or
    of a lost future answer 410. Do so with a copy (a snapshot of a volume, a branch of a database), and with a store
    that was put back to an earlier time by anything but backroom restore.

    \b
    Example:
      backroom doctor
    """
    output, environment = Output(mode), {**os.environ, **({f"{PREFIX}STORE": store} if store else {})}
    if new_log:
        return asyncio.run(_rename(url_of(store), output))
    return asyncio.run(_examine(environment, output))


async def _rename(url: str, output: Output) -> int:
    if found := fault("STORE", url):
        raise click.UsageError(found)
    try:
        name = await renamed(url)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
        output.error(f"{shown(url)}: {reason(error)}")
        return FAILED
    output.result(f"the log of {shown(url)} is called {name} from now on", log=name)
    return WELL


async def _examine(environment: Mapping[str, str], output: Output) -> int:
    found = [Concern(f"{name} is not a setting, and is ignored") for name in unknown(environment)]
    try:
        settings = load(environment, {})
    except BadSettings as error:
        environment = _without_bad(environment)
        settings = load(environment, {})
        found.append(Concern(f"{error}; the other settings are shown as if these were not there", stops=True))
    sections = {"settings": _settings(settings, environment)}
    status, faults = await _status(settings)
    found += faults
    if status is not None:
        sections["store"] = _store(status, now())
        found += concerns(status, now=now())
        if not (settings.is_loopback or settings.open or status.keys):
            what = f"the service would not start on {settings.host} without a key: make one"
            found.append(Concern(f"{what} with backroom keys create NAME --scope admin", stops=True))
    sections["versions"] = _versions(status)
    _tell(sections, found, output)
    if stops := [each.text for each in found if each.stops]:
        output.error(f"the service cannot work so: {'; '.join(stops)}")
        return ILL
    return WELL


def _without_bad(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that can be used together."""
    good: dict[str, str] = {}
    for name, text in environment.items():
        with suppress(BadSettings):
            load({**good, name: text}, {})
            good[name] = text
    return good


async def _status(settings: Settings) -> tuple[StoreStatus | None, list[Concern]]:
    """Return the status of the store, or why there is none."""
    url = settings.store
    if url == "memory://":
        return None, [Concern("memory:// keeps nothing that outlives the service")]
    if (lack := _nothing_yet(url)) is not None:
        return None, [Concern(lack)]
    try:
        return await examined(url), []
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return None, [
            Concern(f"{shown(url)} cannot be read: {reason(error)}", stops=not isinstance(error, SchemaTooOld))
        ]


def _nothing_yet(url: str) -> str | None:
    """Say that the file of a store does not exist yet, which is no fault."""
    path = file_of(absolute(url))
    if path is None or path.exists():
        return None
    if meant := overlooked(url, PROGRAM):
        return f"{path} does not exist, though there is a file {meant.absolute()}: name the right one"
    return f"{path} does not exist yet; the service makes it at its first start"


def _settings(settings: Settings, environment: Mapping[str, str]) -> Section:
    texts = {**written(settings), "store": shown(absolute(settings.store))}
    return {name: f"{texts[name]}  ({source})" for name, source in sources(environment).items()}


def _store(status: StoreStatus, at: datetime) -> Section:
    measured = status.measurements
    sizes = {"file or database": measured.size, "write-ahead log": measured.wal, "free on its disk": measured.free}
    return {
        "schema": status.schema,
        "log": f"{status.log} ({status.former_logs} former names)",
        **{name: f"{count:,}" for name, count in status.entities.items()},
        "changes": f"{status.changes:,}",
        "oldest kept change": _moment(measured.oldest_at),
        "newest change": _moment(status.newest_change),
        "clock": _moment(at),
        **({} if status.now is None else {"clock of the database": _moment(status.now)}),
        **{name: _bytes(size) for name, size in sizes.items() if size is not None},
        "valid keys": f"{status.keys:,}",
        **{f"webhook {each.webhook}": _webhook(each.enabled, each.changes) for each in measured.backlogs},
    }


def _versions(status: StoreStatus | None) -> Section:
    python = ".".join(map(str, sys.version_info[:3]))
    return {"Python": python, **(status.versions if status else {}), **{name: version(name) for name in PACKAGES}}


def _tell(sections: Mapping[str, Section], found: list[Concern], output: Output) -> None:
    told = [{"text": each.text, "stops": each.stops} for each in found]
    lines: list[str] = []
    for title, section in sections.items():
        lines += [title.capitalize(), *(f"  {name:<{WIDTH}}{text}" for name, text in section.items()), ""]
    lines += ["Warnings" if found else "Nothing needs attention."]
    lines += [f"  {each.text}" for each in found]
    output.result("\n".join(lines), **sections, warnings=told)


def _webhook(enabled: bool, lag: int) -> str:
    return f"{lag:,} changes behind" if enabled else "disabled"


def _moment(at: datetime | None) -> str:
    return "none" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _bytes(size: int) -> str:
    text: Any = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if text < 1024:
            return f"{text:,.0f} {unit}"
        text /= 1024
    return f"{text:,.1f} TiB"
