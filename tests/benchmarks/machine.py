"""Conditions of the measurement: the cores, the disk, and what other processes use of them."""

import os
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Self

import attrs

TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds

# The columns of /proc/stat in which a core worked: user, nice and system, and what a host took for other machines.
# Interrupts do not count, because most of them come from the load's own packets.
WORKING = (1, 2, 3, 8)


@attrs.frozen
class Usage:
    """Who used the cores.

    Attributes:
        time: seconds on the clock.
        server: seconds that one server's process computed.
        others: seconds that the cores worked for other processes. The server and its load could not use these.
    """

    time: float
    server: float
    others: float

    @classmethod
    def now(cls, cores: tuple[int, ...], server: int) -> Self:
        """Return the usage since the machine started. `server` is a process id."""
        computed = used(server)
        return cls(perf_counter(), computed, sum(map(worked, cores)) - computed - used(os.getpid()))

    def __sub__(self, earlier: Self) -> Self:
        """Return the usage since an earlier one."""
        return type(self)(self.time - earlier.time, self.server - earlier.server, max(0, self.others - earlier.others))


def two_cores() -> tuple[int, int]:
    """Return a core for the servers and one for the load."""
    if not hasattr(os, "sched_getaffinity"):
        sys.exit("the benchmark needs Linux: it pins processes to cores")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("the benchmark needs two cores: one for the servers and one for the load")
    return cores[0], cores[1]


def fsync_milliseconds(folder: Path) -> float:
    """Return the median time of one small durable write on the disk of `folder`."""
    times = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(50):
            start = perf_counter()
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            times.append(perf_counter() - start)
    return median(times) * 1000


def delayed(pid: int) -> float:
    """Return the seconds for which the main thread of a process was ready to run, and others had its core."""
    schedule = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text(encoding="ascii")
    return int(schedule.split()[1]) / 1e9


def worked(core: int) -> float:
    """Return the seconds that a core has worked since the machine started."""
    lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    fields = next(line.split() for line in lines if line.startswith(f"cpu{core} "))
    return sum(int(fields[column]) for column in WORKING) * TICK


def used(pid: int) -> float:
    """Return the seconds that a process has worked, with all its threads and the processes that it started."""
    process = Path(f"/proc/{pid}")
    fields = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    children = (process / f"task/{pid}/children").read_text(encoding="ascii").split()
    return (int(fields[11]) + int(fields[12])) * TICK + sum(used(int(child)) for child in children)
