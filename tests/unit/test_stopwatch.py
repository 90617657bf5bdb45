"""Where the time of a request goes."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.timing.stopwatch import Phase, Stopwatch, begin, note, timed

pytestmark = pytest.mark.anyio

SECONDS = st.integers(0, 1000).map(float)


@given(spent=st.dictionaries(st.sampled_from([each for each in Phase if each is not Phase.OTHER]), SECONDS))
def test_the_phases_are_all_of_the_time(spent: dict[Phase, float]) -> None:
    """No phase is negative, waiting for the store is no work of it, and what nobody noted is `other`."""
    total = sum(spent.values()) + 5
    found = Stopwatch(spent).phases(total)
    assert all(seconds >= 0 for seconds in found.values())
    assert max(0.0, spent.get(Phase.STORE, 0.0) - spent.get(Phase.QUEUE, 0.0)) == found[Phase.STORE]
    assert total == sum(found.values())


@given(total=SECONDS, changes=SECONDS)
def test_waiting_for_changes_is_no_work(total: float, changes: float) -> None:
    """A follower is not slow because nothing happens."""
    assert total - changes == Stopwatch({Phase.CHANGES: changes, Phase.STORE: 3.0}).working(total)


async def test_each_task_has_its_own() -> None:
    """What a task notes is noted for its request, also in the tasks that it starts; without a stopwatch it is lost."""

    async def request(seconds: float) -> Stopwatch:
        stopwatch = begin()
        note(Phase.STORE, seconds)
        await asyncio.gather(asyncio.create_task(part(seconds)))
        with timed(Phase.BODY):
            pass
        return stopwatch

    async def part(seconds: float) -> None:
        note(Phase.STORE, seconds)

    note(Phase.STORE, 100.0)
    found = await asyncio.gather(*(asyncio.create_task(request(seconds)) for seconds in (1.0, 2.0)))
    assert [2.0, 4.0] == [each.phases(10.0)[Phase.STORE] for each in found]
    assert all(each.phases(10.0)[Phase.BODY] > 0 for each in found)
