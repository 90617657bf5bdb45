"""The command that runs the service."""

import os
from functools import partial
from pathlib import Path

import attrs
import click

from entrypoints.commands.keys import is_open
from entrypoints.diagnostics import LOG, speak
from entrypoints.settings import PREFIX, BadSettings, Settings, flag_name, load, unknown
from entrypoints.store_errors import reason, shown
from entrypoints.store_location import absolute, overlooked

BAD_USAGE = 2
PROGRAM = Path(__file__).parents[2]
OVERLOOKED = "this begins an empty store, %s, though there is a file %s: if that is meant, name it in BACKROOM_STORE"


def _option(field: "attrs.Attribute[object]") -> click.Option:
    """Return the flag of a setting. `load` reads its text, so a bad flag and a bad variable get the same message."""
    is_switch = isinstance(field.default, bool)  # then the flag alone says true
    default = f", default {field.default}" if isinstance(field.default, int | str) and not is_switch else ""
    text = f"{field.metadata['help']} ({PREFIX}{field.name.upper()}{default})"
    flag = [f"--{flag_name(field.name)}", field.name]
    return click.Option(flag, metavar="VALUE", help=text, is_flag=False, flag_value="true" if is_switch else None)


def _serve(**flags: str | None) -> int:
    r"""Run the service until SIGTERM or Ctrl-C.

    Each flag is also a variable of the environment, named behind it; the flag counts first.

    \b
    Example:
      backroom serve --port 8001 --store sqlite:///shop.db
    """
    if flags["log"]:
        speak(flags["log"])
    try:
        settings = load(os.environ, flags)
    except BadSettings as error:
        LOG.error("%s", error)
        return BAD_USAGE
    for name in unknown(os.environ):
        LOG.warning("%s is not a setting, and is ignored", name)
    if fault := _unguarded(settings):
        LOG.error("%s", fault)
        return BAD_USAGE
    if meant := overlooked(settings.store, PROGRAM):
        LOG.warning(OVERLOOKED, absolute(settings.store), meant.absolute())
    # The workers are processes of their own, and read the environment.
    os.environ.update({PREFIX + name.upper(): text for name, text in flags.items() if text is not None})
    from entrypoints.asgi import app  # noqa: PLC0415 - the same
    from entrypoints.server import run  # noqa: PLC0415 - an error appears sooner without a server
    from entrypoints.shared import Shared  # noqa: PLC0415 - the same

    shared = Shared.among(settings.workers)
    return run(
        partial(app, shared),
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        store=shown(absolute(settings.store)),
        metrics=settings.metrics,
        begin=shared.numbers.take,
    )


def _unguarded(settings: Settings) -> str | None:
    """Say why the service may not listen on its address: others could reach it, and nobody would need a key."""
    if settings.is_loopback or settings.open:
        return None
    try:
        if not is_open(settings.store):
            return None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
        return f"{shown(settings.store)}: {reason(error)}"
    fault = f"listening on {settings.host} without a key needs --open: anyone could read and write"
    if settings.store == "memory://":
        return fault
    return f"{fault}; make the first key with: backroom keys create NAME --scope admin"


command = click.Command(
    "serve", callback=_serve, params=[_option(field) for field in attrs.fields(Settings)], help=_serve.__doc__
)
