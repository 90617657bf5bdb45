"""`python -m tests.benchmarks.soak`: honest clients for an hour, while clients without restraint take turns.

Every minute it prints how long the honest waited, how many of their requests failed, and the memory of the service. It
ends with 1 if any request of theirs failed, or if the memory grew.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Lock, Thread

from tests.benchmarks.__main__ import FOLDER
from tests.benchmarks.attacked import ROWS, attacking, fill, waits
from tests.benchmarks.attacks import ATTACKS
from tests.benchmarks.machine import two_cores
from tests.benchmarks.others import Waits
from tests.benchmarks.rounds import Rounds
from tests.benchmarks.servers import backroom, running, sqlite

AT_ONCE = 3  # attacks
STINT = 20.0  # seconds of each
TIMEOUT_S = 30.0  # seconds after which a request of the honest has failed, however busy the machine is
GROWTH = 1.1  # of the memory, from the second quarter of the time to the last, that counts as flat


def main() -> int:
    """Return 0 if no honest request failed and the memory stayed flat, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60, help="how long, default 60")
    parser.add_argument("--backroom", default=Path(sys.executable).with_name("backroom"), help="another executable")
    asked = parser.parse_args()
    cores = two_cores()
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=FOLDER) as made:
        folder = Path(made)
        service = backroom(str(asked.backroom), "(c) soaked", sqlite(folder / "soaked.db"))
        with running(service, folder, cores) as server:
            fill(Rounds(1, 1, 1, cores), server, ROWS)
            memory, found, delayed = [], Waits(TIMEOUT_S), server.delayed()
            with _attackers(server.port):
                for minute in range(1, asked.minutes + 1):
                    these = waits(server.port, 60, TIMEOUT_S)
                    memory.append(server.memory() / 1e6)
                    before, delayed = delayed, server.delayed()
                    print(
                        f"minute {minute}: {_told(these)}; memory {memory[-1]:,.0f} MB;"
                        f" the service waited {delayed - before:,.0f} s for a core",
                        flush=True,
                    )
                    for reason in these.failures[:5]:
                        print(f"  {reason}", flush=True)
                    found.times.extend(these.times)
                    found.failures.extend(these.failures)
    quarter = max(1, len(memory) // 4)
    early, late = median(memory[quarter : 2 * quarter] or memory), median(memory[-quarter:])
    print(f"all: {_told(found)}; memory {early:,.0f} MB in the second quarter, {late:,.0f} MB in the last")
    return 0 if not found.failures and late < GROWTH * early else 1


def _told(found: Waits) -> str:
    p50, p99, most = (found.within(share) * 1000 for share in (0.5, 0.99, 1))
    answered, failed = len(found.times), len(found.failures)
    return f"{answered:,} answered, {failed:,} failed, p50 {p50:,.1f} ms, p99 {p99:,.1f}, most {most:,.0f}"


@contextmanager
def _attackers(port: int) -> Iterator[None]:
    """Let attacks take turns, some at any time."""
    turns, lock, over = cycle(ATTACKS), Lock(), Event()

    def attack() -> None:
        while not over.is_set():
            with lock:
                name = next(turns)
            with attacking(name, port):
                over.wait(STINT)

    threads = [Thread(target=attack) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    sys.exit(main())
