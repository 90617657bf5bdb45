"""The command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, NoReturn

import attrs

from entrypoints import keys
from entrypoints.diagnostics import LOG, speak
from entrypoints.settings import PREFIX, BadSettings, Settings, flag_name, load, unknown
from entrypoints.store_errors import reason, shown

BAD_USAGE = 2
_LOG = f"{PREFIX}LOG"
MOVE = (
    "Move everything from one store to another, which must be empty. Stop the service first: what is written meanwhile"
    " does not come along. All is moved, or nothing. Exit codes: 0 moved, 1 failed, 2 bad usage, 130 interrupted."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 for success, 1 for failure, 2 for bad usage or a bad setting."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.command == "serve":
        return _serve(chosen)
    if chosen.command == "openapi":
        return _openapi()
    if chosen.command == "move":
        return _move(chosen)
    if chosen.command == "keys":
        return keys.run(chosen)
    parser.print_help()
    return BAD_USAGE


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line as everything else is said."""

    def error(self, message: str) -> NoReturn:
        if os.environ.get(_LOG) == "json":
            speak("json")
            LOG.error("%s: %s", self.prog, message)
            sys.exit(BAD_USAGE)
        super().error(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="backroom", description="Tasks and products behind one small HTTP service.")
    parser.add_argument("--version", action="version", version=f"backroom {version('backroom')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    serve = commands.add_parser("serve", help="run the service", description="Run the service until SIGTERM or Ctrl-C.")
    for field in attrs.fields(Settings):
        switch: dict[str, Any] = {"nargs": "?", "const": "true"} if isinstance(field.default, bool) else {}
        default = f", default {field.default}" if isinstance(field.default, int | str) and not switch else ""
        text = f"{field.metadata['help']} ({PREFIX}{field.name.upper()}{default})"
        serve.add_argument(f"--{flag_name(field.name)}", dest=field.name, metavar="VALUE", help=text, **switch)
    commands.add_parser("openapi", help="print the OpenAPI document", description="Print the OpenAPI document as JSON.")
    move = commands.add_parser("move", help="move everything from one store to another", description=MOVE)
    for name, text in (("FROM", "the store that is read, and stays as it is"), ("TO", "the store that takes it over")):
        move.add_argument(name, help=f"{text}: sqlite:///PATH or postgresql://…")
    keys.add_parsers(commands)
    return parser


def _serve(chosen: argparse.Namespace) -> int:
    flags = {field.name: getattr(chosen, field.name) for field in attrs.fields(Settings)}
    speak(chosen.log or os.environ.get(_LOG, ""))
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
    # The workers are processes of their own, and read the environment.
    os.environ.update({PREFIX + name.upper(): text for name, text in flags.items() if text is not None})
    from entrypoints.server import run  # noqa: PLC0415 - other commands start faster without a server

    return run(
        "entrypoints.asgi:app",
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        trusted_proxies=settings.trusted_proxies,
    )


def _unguarded(settings: Settings) -> str | None:
    """Say why the service may not listen where it should: others could reach it, and nobody would need a key."""
    if settings.is_loopback or settings.open:
        return None
    try:
        if not keys.is_open(settings.store):
            return None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
        return f"{shown(settings.store)}: {reason(error)}"
    fault = f"listening on {settings.host} without a key needs --open: anyone could read and write"
    if settings.store == "memory://":
        return fault
    return f"{fault}; make the first key with: backroom keys create NAME --scope admin"


def _openapi() -> int:
    from entrypoints.documentation import openapi  # noqa: PLC0415 - the same

    sys.stdout.write(openapi())
    return 0


def _move(chosen: argparse.Namespace) -> int:
    from entrypoints.moving import run  # noqa: PLC0415 - the same

    return run(chosen.FROM, chosen.TO)
