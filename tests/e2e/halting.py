"""A command that copies, halts when it has come to what its first argument names, says so, and waits to be ended."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from adapters.postgres.importing import PostgresImport
from adapters.sqlite.importing import SqliteImport
from entrypoints.cli import main
from entrypoints.output import Output


def halt() -> None:
    """Wait until SIGINT comes; its usual handler then handles it."""
    arrived, otherwise = threading.Event(), signal.getsignal(signal.SIGINT)

    def arrive(number: int, frame: FrameType | None) -> None:
        arrived.set()
        if callable(otherwise):
            otherwise(number, frame)

    signal.signal(signal.SIGINT, arrive)
    print("halted", flush=True)
    while not arrived.wait(0.01):
        pass


def halting(stage: str) -> Callable[[str, int, int], None]:
    """Return what is told of the progress, and halts when a stage is done, or as much of it as `stage:number` says."""
    name, _, enough = stage.partition(":")

    def report(what: str, done: int, total: int) -> None:
        if what == name and done >= (int(enough) if enough else total):
            halt()

    return report


def halt_behind(commit: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a commit after which nobody hears of it before SIGINT has come."""

    async def committing(self: object) -> None:
        await commit(self)
        halt()

    return committing


if __name__ == "__main__":
    stage = sys.argv[1]
    if stage == "committing":
        for each in (SqliteImport, PostgresImport):
            setattr(each, "commit", halt_behind(each.commit))  # noqa: B010 - mypy counts them
    setattr(Output, "progress", lambda _: halting(stage))  # noqa: B010 - the same
    sys.exit(main(sys.argv[2:]))
