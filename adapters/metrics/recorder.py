"""Counting: what a worker tells of its work becomes numbers in its block of the shared memory."""

import os
import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from math import inf
from pathlib import Path
from typing import Protocol

from adapters.metrics.families import (
    ACTIVE,
    COMMITS,
    CPU,
    DELIVERIES,
    FOLLOWERS,
    GROUPS,
    MEMORY,
    POOL,
    POOL_LIMIT,
    REQUESTS,
    STARTED,
    STARTS,
    Family,
)
from domain.deliveries import Delivery, DeliveryStatus
from domain.measurements import ConnectionUse

OTHER = "_OTHER"  # any other method, as OpenTelemetry names it; so nobody can make a series of his own
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", OTHER})

OUTCOMES = {DeliveryStatus.DELIVERED: "delivered", DeliveryStatus.PENDING: "retry", DeliveryStatus.FAILED: "failed"}
KINDS = ("poll", "stream", "socket")

_STATM = Path("/proc/self/statm")

Served = tuple[str, str, int, float]
"""Method, route, status and duration (seconds) of a request."""


class Numbers(Protocol):
    """Rows of numbers by name, which outlive this process. Each worker of a host has a block of its own."""

    block: int

    def row(self, name: str) -> int: ...
    def add(self, row: int, amount: float, at: int = 0) -> None: ...
    def put(self, row: int, value: float, at: int = 0) -> None: ...
    def total(self) -> Mapping[str, list[float]]: ...


def series(family: Family, *labels: str) -> str:
    """Return the name of the row of one series."""
    return "\t".join((family.name, *labels))


class Recorder:
    """Writes the numbers of one worker. A histogram's row has its sum, and then the count of each bucket."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers, worker = numbers, str(numbers.block)
        self._requests: dict[tuple[str, str, int], int] = {}
        self._groups, self._commits = numbers.row(series(GROUPS)), numbers.row(series(COMMITS))
        self._deliveries = {each: numbers.row(series(DELIVERIES, each)) for each in OUTCOMES.values()}
        self._active, self._limit = numbers.row(series(ACTIVE)), numbers.row(series(POOL_LIMIT))
        self._followers = {each: numbers.row(series(FOLLOWERS, each)) for each in KINDS}
        self._pool = {each: numbers.row(series(POOL, each)) for each in ("used", "idle")}
        self._memory, self._cpu = (numbers.row(series(each, worker)) for each in (MEMORY, CPU))
        self._spent = 0.0
        numbers.add(numbers.row(series(STARTS, worker)), 1)
        numbers.put(numbers.row(series(STARTED, worker)), time.time())
        self.sample(active=0, followers={}, connections=None)  # a predecessor's end here

    def requests(self, served: Iterable[Served]) -> None:
        """Count requests that ended."""
        durations: dict[tuple[str, str, int], list[float]] = {}
        for method, route, status, seconds in served:
            durations.setdefault((method, route, status), []).append(seconds)
        for key, each in durations.items():
            row = self._requests.get(key)
            self._observe(self._row(*key) if row is None else row, REQUESTS, each)

    def group(self, batches: int, seconds: float) -> None:
        """Count a group commit. Any one thread may call it."""
        self._observe(self._groups, GROUPS, [batches])
        self._observe(self._commits, COMMITS, [seconds])

    def attempt(self, delivery: Delivery) -> None:
        """Count the last attempt at a delivery to a webhook."""
        self._numbers.add(self._deliveries[OUTCOMES[delivery.status]], 1)

    def sample(self, *, active: int, followers: Mapping[str, int], connections: ConnectionUse | None) -> None:
        """Note what this worker does at this moment."""
        self._numbers.put(self._active, active)
        for kind, row in self._followers.items():
            self._numbers.put(row, followers.get(kind, 0))
        use = connections or ConnectionUse(used=0, idle=0, most=0)
        self._numbers.put(self._pool["used"], use.used)
        self._numbers.put(self._pool["idle"], use.idle)
        self._numbers.put(self._limit, use.most)
        self._numbers.put(self._memory, _resident())
        spent, self._spent = self._spent, time.process_time()
        self._numbers.add(self._cpu, self._spent - spent)

    def _row(self, method: str, route: str, status: int) -> int:
        if method not in METHODS:
            return self._row(OTHER, route, status)
        row = self._requests[method, route, status] = self._numbers.row(series(REQUESTS, method, route, str(status)))
        return row

    def _observe(self, row: int, family: Family, values: list[float]) -> None:
        """Count values. Many together cost little more than one, which matters under load."""
        self._numbers.add(row, sum(values))
        values.sort()
        counted = 0
        for bucket, bound in enumerate((*family.bounds, inf), 1):
            upto = bisect_right(values, bound)
            if upto > counted:
                self._numbers.add(row, upto - counted, bucket)
                counted = upto
            if counted == len(values):
                break


def _resident() -> int:
    """Return the bytes of memory of this process, or 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
