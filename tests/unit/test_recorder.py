"""What a worker counts, as Prometheus reads it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from adapters.http.responses.problems import PROBLEMS
from adapters.metrics.collector import Moment
from adapters.metrics.families import DURATIONS, MEASURED, SHARED, Family
from adapters.metrics.recorder import METHODS, Recorder
from adapters.shared_memory.numbers import ROWS, WIDTH, SharedNumbers
from domain.deliveries import Delivery, DeliveryStatus
from domain.measurements import Backlog, ConnectionUse, Measurements
from tests.builders import LATER, NOON
from tests.http.test_access import EXPECTED

REQUESTS = "http_server_request_duration_seconds"


def moment(numbers: SharedNumbers, **facts: Any) -> Moment:
    """Return what is known at a time."""
    measured = Measurements(newest=0, oldest_at=None)
    return Moment(**{"totals": numbers.total(), "measured": measured, "at": LATER, "build": {"version": "1"}, **facts})


def samples(found: Moment) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return the value of each sample, by its name and the values of its labels, as it is read from the text."""
    families = text_string_to_metric_families(generate_latest(found).decode())
    return {(each.name, tuple(each.labels.values())): each.value for family in families for each in family.samples}


SERVED = st.tuples(
    st.sampled_from(["GET", "POST", "BREW"]),
    st.sampled_from(["/tasks", "/tasks/{id}"]),
    st.sampled_from([200, 404]),
    st.floats(0, 20),
)


@given(served=st.lists(SERVED))
def test_requests(served: list[tuple[str, str, int, float]]) -> None:
    """Each bucket has the requests that took no longer than its bound; the sum and the count are theirs."""
    numbers = SharedNumbers(rows=64)
    Recorder(numbers).requests(served)
    found = samples(moment(numbers))
    series = {(method if method in METHODS else "_OTHER", str(status), route) for method, route, status, _ in served}
    for method, status, route in series:
        mine = [
            seconds
            for verb, path, code, seconds in served
            if (verb if verb in METHODS else "_OTHER", str(code), path) == (method, status, route)
        ]
        labels = method, status, route
        for bound in DURATIONS:
            assert sum(each <= bound for each in mine) == found[f"{REQUESTS}_bucket", (*labels, str(bound))]
        assert len(mine) == found[f"{REQUESTS}_bucket", (*labels, "+Inf")] == found[f"{REQUESTS}_count", labels]
        assert pytest.approx(sum(mine)) == found[f"{REQUESTS}_sum", labels]
    assert len(series) == sum(name == f"{REQUESTS}_count" for name, _ in found)


def test_methods_that_somebody_invents() -> None:
    """They share one series, and take no memory."""
    numbers = SharedNumbers(rows=64)
    recorder = Recorder(numbers)
    recorder.requests([(f"X{number}", "(other)", 404, 0.0) for number in range(1000)])
    assert 1000 == samples(moment(numbers))[f"{REQUESTS}_count", ("_OTHER", "404", "(other)")]
    assert 1 == len(recorder._requests)


def test_every_series_has_room() -> None:
    """A block has a row for each method, route and status, even for those that never come together."""
    routes = {each.partition(" ")[2] for each in EXPECTED} | {"/static/{name}", "(other)"}
    statuses = {each.status for each in PROBLEMS.values()} | {0, 101, 200, 201, 204, 206, 207, 304, 307, 308, 416, 499}
    others = 10 * len(SHARED)
    assert len(routes) * len(METHODS) * len(statuses) + others < ROWS


@pytest.mark.parametrize("family", SHARED, ids=lambda family: family.name)
def test_every_histogram_has_room(family: Family) -> None:
    """A row has the sum, each bucket, and one more for what is above all bounds."""
    assert len(family.bounds) + 2 <= WIDTH
    assert list(family.bounds) == sorted(family.bounds)


@pytest.mark.parametrize("family", [*SHARED, *MEASURED], ids=lambda family: family.name)
def test_every_metric_is_explained(family: Family) -> None:
    """Each has a help text, and a name that ends with its unit."""
    assert family.help.endswith(".")
    assert family.name.endswith(family.unit)


def test_commits() -> None:
    """A group is counted by its size and by its time."""
    numbers = SharedNumbers(rows=64)
    recorder = Recorder(numbers)
    recorder.group(1, 0.004)
    recorder.group(7, 0.3)
    found = samples(moment(numbers))
    assert (2, 8) == (found["backroom_commit_batches_count", ()], found["backroom_commit_batches_sum", ()])
    assert (1, 2) == tuple(found["backroom_commit_batches_bucket", (bound,)] for bound in ("1.0", "8.0"))
    assert pytest.approx(0.304) == found["backroom_commit_duration_seconds_sum", ()]


def test_deliveries() -> None:
    """An attempt is counted by what becomes of its delivery."""
    numbers = SharedNumbers(rows=64)
    recorder = Recorder(numbers)
    one = Delivery(id="d", webhook=1, message_id="m", type="task.created", after=None, requested=False, at=NOON)
    statuses = (DeliveryStatus.DELIVERED, DeliveryStatus.PENDING, DeliveryStatus.PENDING, DeliveryStatus.FAILED)
    for status in statuses:
        recorder.attempt(attrs.evolve(one, status=status))
    found = samples(moment(numbers))
    outcomes = ("delivered", "retry", "failed")
    assert (1, 2, 1) == tuple(found["backroom_webhook_deliveries_total", (each,)] for each in outcomes)


def sampled(workers: Iterable[int]) -> SharedNumbers:
    """Return the numbers of workers that are busy."""
    numbers = SharedNumbers(blocks=4, rows=64)
    for worker in workers:
        numbers.take(worker)
        use = ConnectionUse(used=2, idle=3, most=10)
        Recorder(numbers).sample(active=3, followers={"poll": 1, "socket": 2}, connections=use)
    return numbers


def test_what_goes_on_now() -> None:
    """What all workers do at the moment is added up; memory, time and starts are told for each."""
    found = samples(moment(sampled(range(2))))
    assert 6 == found["http_server_active_requests", ()]
    assert [2, 0, 4] == [found["backroom_followers", (kind,)] for kind in ("poll", "stream", "socket")]
    assert [4, 6] == [found["backroom_pool_connections", (state,)] for state in ("used", "idle")]
    assert 20 == found["backroom_pool_connections_limit", ()]
    for worker in ("0", "1"):
        assert found["process_resident_memory_bytes", (worker,)] > 1_000_000
        assert found["process_cpu_seconds_total", (worker,)] > 0
        assert 1 == found["backroom_worker_starts_total", (worker,)]


def test_a_replaced_worker() -> None:
    """The next worker in a place does nothing yet; the counts of the one before stay."""
    numbers = sampled(range(1))
    numbers.take(0)
    Recorder(numbers).requests([("GET", "/", 200, 0.1)])
    before = samples(moment(numbers))
    numbers.take(0)
    Recorder(numbers)
    found = samples(moment(numbers))
    assert (0, 3) == (found["http_server_active_requests", ()], found["backroom_worker_starts_total", ("0",)])
    for name in (f"{REQUESTS}_count", f"{REQUESTS}_sum"):
        assert before[name, ("GET", "200", "/")] == found[name, ("GET", "200", "/")] > 0


def test_what_the_store_says() -> None:
    """The log, the webhooks and the room are there as they were measured."""
    backlogs = (
        Backlog(webhook=3, enabled=True, changes=2, since=LATER - timedelta(seconds=5)),
        Backlog(webhook=1, enabled=False, changes=0, since=None),
    )
    measured = Measurements(newest=7, oldest_at=NOON, backlogs=backlogs, size=10, wal=20, free=30)
    found = samples(moment(SharedNumbers(rows=8), measured=measured))
    assert (1, 7, 3600) == tuple(
        found[f"backroom_{name}", ()] for name in ("store_up", "changes_total", "oldest_change_age_seconds")
    )
    for name, values in {"lag_changes": (2, 0), "lag_seconds": (5, 0), "enabled": (1, 0)}.items():
        assert values == tuple(found[f"backroom_webhook_{name}", (id,)] for id in ("3", "1"))
    assert (10, 20, 30) == tuple(found[f"backroom_store_{name}_bytes", ()] for name in ("size", "wal", "free"))


def test_a_store_that_says_nothing() -> None:
    """One metric says so, and those that would be wrong are not there."""
    found = samples(moment(SharedNumbers(rows=8), measured=None))
    assert 0 == found["backroom_store_up", ()]
    assert ("backroom_changes_total", ()) not in found
