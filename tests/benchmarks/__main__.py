"""`python -m tests.benchmarks`: compares backroom (c) with a bare application (a) and a tutorial's (b) in one run.

Servers run on one core and the load on another. Figures depend on the machine and on its other work, so only the
ratios count. Even these need a quiet machine.
"""

import argparse
import platform
import signal
import sys
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.benchmarks.attacks import ATTACKS
from tests.benchmarks.machine import fsync_milliseconds, two_cores
from tests.benchmarks.rounds import Rounds
from tests.benchmarks.scripts import BULK
from tests.benchmarks.sections import SECTIONS, Stage, fill
from tests.benchmarks.servers import backroom, bare, feedless, running, sqlite, tutorial
from tests.benchmarks.table import Row, below, table

# Beside ./data, so that a fsync waits for the same disk. A system's temporary folder is often in memory, where
# durability costs nothing.
FOLDER = Path(__file__).parents[2] / "build"

LEGEND = """\
(a) a bare ASGI application on the same uvicorn, uvloop and httptools: the limit
(b) the tutorial's application, dicts in memory, without its timing middleware: the harder bar; "(b) timed" has it
(d) a bare ASGI application with one statement of asyncpg for each request, as durable as (c); PostgreSQL has both cores
figures are medians of rounds in turn, with 64 connections, a bulk with 4
"by CPU" is the ratio of the time that the servers computed for one answer: less disturbed, but blind to waiting"""


def arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Compare backroom with (a) and (b)."
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="tasks in the large store, in whole thousands")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that each median is taken of")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a round")
    parser.add_argument(
        "--quick", action="store_true", help="10,000 rows and three rounds of half a second: a first look"
    )
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="sections to measure")
    parser.add_argument(
        "--attacks", nargs="+", choices=ATTACKS, default=list(ATTACKS), help="attacks of the section `others`"
    )
    parser.add_argument(
        "--backroom", default=Path(sys.executable).with_name("backroom"), help="another executable as (c)"
    )
    asked = parser.parse_args()
    if asked.rows < BULK or asked.rows % BULK:
        parser.error(f"--rows must be a multiple of {BULK}")
    if asked.quick:
        asked.rows, asked.rounds, asked.seconds = 10_000, 3, 0.5
    return asked


def start(executable: str, folder: Path, cores: tuple[int, int], times: int) -> Row:
    """Start (c) several times, each on a fresh file, and return the median time to its first response."""
    seconds = []
    for number in range(times):
        with running(backroom(executable, f"(c) {number}", sqlite(folder / f"{number}.db")), folder, cores) as server:
            seconds.append(server.start)
    return below("start to first answer", median(seconds), 0.6, "s")


def main() -> None:
    """Measure the requested sections and print the table."""
    asked = arguments()
    cores = two_cores()
    executable = str(asked.backroom)
    rounds = Rounds(asked.rounds, asked.seconds, warm_up=asked.seconds / 2, cores=cores)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # then the servers are stopped, too
    FOLDER.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=FOLDER)))
        print(f"Python {platform.python_version()}, uvicorn {version('uvicorn')}, ", end="")
        print(
            f"fsync {fsync_milliseconds(folder):.2f} ms, servers on core {cores[0]}, load on core {cores[1]}",
            flush=True,
        )
        rows = [start(executable, folder, cores, asked.rounds)]
        services = (
            bare(),
            tutorial("plain"),
            tutorial("timed"),
            backroom(executable, "(c) few", sqlite(folder / "few.db")),
            backroom(executable, "(c) many", sqlite(folder / "many.db")),
            backroom(executable, "(c) followed", sqlite(folder / "followed.db")),
            backroom(executable, "(c) unfollowed", sqlite(folder / "unfollowed.db")),
            feedless(sqlite(folder / "feedless.db")),
        )
        servers = [stack.enter_context(running(each, folder, cores)) for each in services]
        stage = Stage(rounds, asked.rows, asked.attacks, executable, folder, *servers)
        fill(stage)
        for name in SECTIONS:
            if name in asked.only:
                rows += SECTIONS[name](stage)
        print(f"\n{table(rows)}\n\n{LEGEND}\n{rounds.quality()}")


if __name__ == "__main__":
    main()
