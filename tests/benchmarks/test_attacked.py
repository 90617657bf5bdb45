"""The others are timed while somebody attacks, and a failure of theirs is no success."""

import pytest

from tests.benchmarks.attacked import TIMEOUT_S, row, waits
from tests.benchmarks.load import LoadError
from tests.benchmarks.others import Waits
from tests.benchmarks.test_load import OK, server


@pytest.mark.parametrize(
    ("times", "failures", "delayed", "told", "met"),
    [
        ([0.002] * 99 + [0.049], [], 0.02, "p50 2.0 ms, p99 49.0, most 49", True),
        ([0.002] * 98 + [0.06] * 2, [], 0.5, "p50 2.0 ms, p99 60.0, most 60, themselves delayed 50%", False),
        ([0.002] * 999, ["503"], 0, "p50 2.0 ms, p99 2.0, most 5,000, 1 of 1000 failed", False),
    ],
)
def test_the_aim_is_for_the_slowest_hundredth_and_against_every_failure(
    times: list[float], failures: list[str], delayed: float, told: str, met: bool
) -> None:
    """The row tells the median, the slowest hundredth and the slowest, and misses its aim for a single failure."""
    found = row("SQLite", "bulks", Waits(TIMEOUT_S, times, failures, delayed))

    assert (told, met) == (found.figure, found.met)


def test_the_others_are_timed_in_a_process_of_their_own() -> None:
    """They wait for each whole response; without any success it is an error."""
    with server(OK) as port:
        found = waits(port, 0.1)
    assert found.times
    assert [] == found.failures

    with server(OK.replace(b"200 OK", b"503 Busy")) as port, pytest.raises(LoadError, match="503"):
        waits(port, 0.1)
