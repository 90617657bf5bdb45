"""The command that lets assistants use a running service, by the Model Context Protocol."""

import asyncio
import os
from importlib.metadata import version
from urllib.parse import urlsplit

import click

from domain.access.key_text import is_key
from entrypoints.settings import KEY

DEFAULT_URL = "http://127.0.0.1:8000"
EXTRA = "this needs the extra mcp: install backroom[mcp], in a clone with .venv/bin/pip install --editable '.[mcp]'"


@click.command
@click.option("--url", default=DEFAULT_URL, show_default=True, help="Where the service is.")
def command(url: str) -> None:
    r"""Serve assistants on stdin and stdout, by the Model Context Protocol.

    It is a client of the service at URL, with the key in BACKROOM_KEY. A key with the scope read gives tools that read.
    It ends with its stdin. It needs the extra backroom[mcp].

    \b
    Example:
      backroom mcp --url http://127.0.0.1:8000 </dev/null
    """
    key = os.environ.get(KEY, "").strip() or None
    if key is not None and not is_key(key):
        raise click.UsageError(f"{KEY} is not a key: a key is shown once, by `backroom keys create`")
    if fault := _fault(url):
        raise click.UsageError(f"--url {fault}")
    try:
        from adapters.mcp.server import serve  # noqa: PLC0415 - only this command needs the extra
    except ModuleNotFoundError as error:
        if error.name not in ("mcp", "jsonschema"):
            raise
        raise click.UsageError(EXTRA) from None
    asyncio.run(serve(url.rstrip("/"), key, version("backroom")))


def _fault(url: str) -> str | None:
    """Say why a URL cannot be that of a service. It may end up in messages, so it may not hold a password."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"must be such as {DEFAULT_URL}"
    if parts.username is not None or parts.password is not None:
        return f"must not name a user: the key belongs in {KEY}"
    if parts.query or parts.fragment:
        return "must end with the path"
    return None
