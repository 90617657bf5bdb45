"""The cost of following: message rate, delay for an idle follower, its memory, and the effect on writers."""

import asyncio
from collections.abc import Iterator
from statistics import median
from time import perf_counter, process_time

import attrs
import uvloop

from tests.benchmarks import scripts
from tests.benchmarks.followers import Crowd, follow, written
from tests.benchmarks.load import Script
from tests.benchmarks.machine import Usage
from tests.benchmarks.rounds import Rounds, Trial
from tests.benchmarks.servers import Server
from tests.benchmarks.table import Row, at_least, below, compare

FOLLOWERS = 500
ROW = 100  # changes without a pause
APART = 20  # single changes, each after all followers got the one before


@attrs.frozen
class Following:
    """What one round measured.

    Attributes:
        memory: bytes that one idle follower added to the server.
        messages: messages a second to all followers together.
        delay: seconds from sending a write to each arrival of its change, at the median.
    """

    memory: float
    messages: float
    delay: float


def following(rounds: Rounds, server: Server, unfollowed: Server, feedless: Server) -> Iterator[Row]:
    """Follow a server in rounds. Then write where followers have left, where none ever were, and where none can be."""
    found = [observed(rounds, server) for _ in range(rounds.rounds)]
    # The second crowd may reuse memory of the first, so only the first one counts.
    yield below(f"memory of each of {FOLLOWERS} idle followers", found[0].memory / 1e3, 50, "KB")
    messages = median(each.messages for each in found)
    yield at_least(f"messages to {FOLLOWERS} followers, with one writer", messages, 20_000, "messages/s")
    delay = median(each.delay for each in found)
    yield below(f"POST to arrival at {FOLLOWERS} idle followers", delay * 1e3, 10, "ms")
    rates = rounds.medians(
        {
            "POST without a feed": Trial(feedless, scripts.create, 201),
            "POST without followers": Trial(unfollowed, scripts.create, 201),
            "POST after followers": Trial(server, scripts.create, 201),
        }
    )
    cut = "without a feed", rates["POST without a feed"]
    yield compare("POST, no followers", rates["POST without followers"], *cut, least=0.97)
    yield compare(f"POST, {FOLLOWERS} followers gone", rates["POST after followers"], *cut, least=0.97)


def observed(rounds: Rounds, server: Server) -> Following:
    """Let followers connect, receive and leave, and return the measurements."""
    before, computing = Usage.now(rounds.cores, server.pid), process_time()
    found = uvloop.run(watched(server, next(rounds.numbers)))
    usage = Usage.now(rounds.cores, server.pid) - before
    rounds.note(usage, (process_time() - computing) / usage.time)
    return found


async def watched(server: Server, seed: int) -> Following:
    """Follow, and write."""
    empty = server.memory()
    crowd, transports = await follow(server.port, FOLLOWERS)
    memory = (server.memory() - empty) / FOLLOWERS
    delays: list[float] = []
    for number in range(APART):
        start = await told(crowd, server.port, scripts.create(seed + number, 1), 1)
        delays += [arrival - start for arrival in crowd.arrivals]
    start = await told(crowd, server.port, scripts.create(seed, ROW), ROW)
    messages = FOLLOWERS * ROW / (perf_counter() - start)
    for transport in transports:
        transport.abort()
    await asyncio.sleep(0)
    return Following(memory, messages, median(delays))


async def told(crowd: Crowd, port: int, script: Script, changes: int) -> float:
    """Make changes and wait until all followers got them. Returns when the first change was sent."""
    crowd.expect(FOLLOWERS * changes)
    start = await written(port, script, 201)
    await crowd.all_told()
    return start
