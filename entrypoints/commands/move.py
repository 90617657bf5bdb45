"""The command that moves everything from one store to another."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from time import monotonic
from typing import Any

import click

from domain.moving import Undecided, move
from entrypoints.progress import Progress
from entrypoints.settings import store
from entrypoints.store_errors import reason, shown
from entrypoints.wiring import exporting, importing, now

DONE, FAILED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130


@click.command
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def command(source: str, target: str) -> int:
    r"""Move everything from one store to another, which must be empty.

    FROM is only read; TO takes it over. Each is sqlite:///PATH or postgresql://…. Stop the service first: what is
    written meanwhile does not come along. All is moved, or nothing. Exit codes: 0 moved, 1 failed, 2 bad usage, 130
    interrupted.

    \b
    Example:
      backroom move sqlite:///data/backroom.db sqlite:///copy.db
    """
    if fault := _fault("FROM", source) or _fault("TO", target) or (source == target and "FROM and TO are the same"):
        print(f"backroom: {fault}", file=sys.stderr)
        return BAD_USAGE
    return asyncio.run(_until_interrupted(_move(source, target)))


async def _until_interrupted(moving: Coroutine[Any, Any, int]) -> int:
    """Return the exit code of what Ctrl-C cancels while it waits for something, and at no other moment.

    Left to itself, Python would also end what has just been committed, and nobody would know.
    """
    task = asyncio.ensure_future(moving)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        _say("\nbackroom: interrupted; nothing was moved")
        return INTERRUPTED


async def _move(source: str, target: str) -> int:
    start, at_fault = monotonic(), shown(source)
    try:
        async with exporting(source) as telling:
            _say(f"moving {shown(source)} as it stands at {now():%Y-%m-%d %H:%M:%S} UTC")
            _say(f"what is written there from now on will not be in {shown(target)}")
            at_fault = shown(target)
            async with importing(target) as taking:
                at_fault = f"{shown(source)} to {shown(target)}"
                moved = await move(telling, taking, Progress(sys.stderr))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
        outcome = "" if isinstance(error, Undecided) else "; nothing was moved"
        print(f"backroom: {at_fault}: {reason(error)}{outcome}", file=sys.stderr)
        return FAILED
    print(f"moved {moved:,} entities, changes, receipts and deliveries in {monotonic() - start:.1f} s")
    return DONE


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _fault(name: str, url: str) -> str | None:
    if url == "memory://":
        return f"{name} must not be memory://: it keeps nothing that another process could see"
    try:
        store(url)
    except ValueError:
        return f"{name} must be sqlite:///PATH or postgresql://…"
    return None
