"""`backroom move` that halts when it has come to what its first argument names, says so, and waits to be ended."""

import asyncio
import sys
import time
from functools import partial

from backroom.entrypoints import moving
from backroom.entrypoints.cli import main


def halt(stage: str, what: str, done: int, total: int) -> None:
    """Halt once there is something done of a stage."""
    if what == stage and done == total:
        print("halted", flush=True)
        task = asyncio.current_task()
        while task is not None and not task.cancelling():
            time.sleep(0.01)


if __name__ == "__main__":
    setattr(moving, "Progress", lambda _: partial(halt, sys.argv[1]))  # noqa: B010 - mypy counts it
    sys.exit(main(sys.argv[2:]))
