"""Copying everything from one store to another, for commands: with progress, and interrupted by Ctrl-C."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any

from attrs import frozen

from domain.use_cases.move import Undecided, move, names_of_log
from entrypoints.garbage import collect_seldom
from entrypoints.output import Output
from entrypoints.settings import store
from entrypoints.store_errors import reason, shown
from entrypoints.stores import exporting, importing, now

DONE, FAILED, INTERRUPTED = 0, 1, 130


@frozen
class Words:
    """The words of a command for its work: "moving", "moved"."""

    doing: str
    done: str


def run(source: str, target: str, words: Words, output: Output, *, at_last: Callable[[], None] | None = None) -> int:
    """Copy everything, then run `at_last`, and return the exit code. No message shows a secret of a URL."""
    collect_seldom()
    copying = _copy(source, target, words, output, at_last)
    return asyncio.run(until_interrupted(copying, output, f"nothing was {words.done}"))


def fault(name: str, url: str) -> str | None:
    """Say why a URL names no store that can be copied from or to."""
    if url == "memory://":
        return f"{name} must not be memory://: it keeps nothing that another process could see"
    try:
        store(url)
    except ValueError:
        return f"{name} must be sqlite:///PATH or postgresql://…"
    return None


async def until_interrupted(work: Coroutine[Any, Any, int], output: Output, outcome: str) -> int:
    """Return the exit code of work that Ctrl-C cancels, but only while it waits; then tell the `outcome`.

    By default, Python would also stop it just after a commit, and nobody would know.
    """
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        output.note("")  # the bar has the line
        output.error(f"interrupted; {outcome}")
        return INTERRUPTED


async def _copy(source: str, target: str, words: Words, output: Output, at_last: Callable[[], None] | None) -> int:
    start, at_fault = monotonic(), shown(source)
    try:
        async with exporting(source) as exported:
            output.note(f"{words.doing} {shown(source)} as it stands at {now():%Y-%m-%d %H:%M:%S} UTC")
            output.note(f"what is written there from now on will not be in {shown(target)}")
            at_fault = shown(target)
            async with importing(target, await names_of_log(exported)) as imported:
                at_fault = f"{shown(source)} to {shown(target)}"
                copied = await move(exported, imported, output.progress())
        if at_last is not None:
            at_last()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
        outcome = "" if isinstance(error, Undecided) else f"; nothing was {words.done}"
        output.error(f"{at_fault}: {reason(error)}{outcome}")
        return FAILED
    seconds = monotonic() - start
    text = f"{words.done} {copied:,} entities, changes, stored outcomes and deliveries in {seconds:.1f} s"
    output.result(text, **{words.done: copied, "seconds": round(seconds, 1)})
    return DONE
