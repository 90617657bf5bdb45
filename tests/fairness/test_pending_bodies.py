"""Bodies that stop, come slowly, or are too many."""

import asyncio

import pytest
from starlette.types import Message

from adapters.http.fairness import pending_bodies
from adapters.http.fairness.capacity import Capacity
from adapters.http.fairness.pending_bodies import LEAST_RATE, STOPPED_S, PendingBody
from tests.fairness.held import BODY, HeldBody
from tests.feed.steps import until
from tests.http.service import Client
from tests.http.transport import HOST, scope_of

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


def body_of(size: int, *, began: float = 0, moved_at: float) -> PendingBody:
    """Return a body of which this many bytes have arrived."""
    body = PendingBody("a", began, moved_at)
    body.size = size
    return body


@pytest.mark.parametrize(
    ("now", "moved_at", "size", "expected"),
    [
        (10, 0, 0, None),
        (10.1, 0, 0, "the body stopped for 10 seconds"),
        (15, 10, 5 * LEAST_RATE, None),
        (15, 10, 5 * LEAST_RATE - 1, "the body came with less than 500 bytes a second"),
        (120, 119, 200 * LEAST_RATE, None),
        (120.1, 119, 200 * LEAST_RATE, "the body was not complete after 120 seconds"),
    ],
)
async def test_when_a_body_is_late(now: float, moved_at: float, size: int, expected: str | None) -> None:
    """A body times out if it stops, if it is too slow on average, or if it takes too long in all."""
    assert expected == body_of(size, moved_at=moved_at).lateness(now)


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service check often whether a body has timed out."""
    monkeypatch.setattr(pending_bodies, "LOOK_EVERY_S", 0.01)


def pass_time(capacity: Capacity, seconds: float) -> None:
    """Make all pending bodies older."""
    for body in capacity.bodies._pending:
        body.began -= seconds
        body.moved_at -= seconds


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize("piece", [b"", BODY[:3]])
async def test_a_body_that_stops(client: Client, capacity: Capacity, piece: bytes) -> None:
    """A request whose body stops gets an error, and creates nothing."""
    body = await HeldBody(client).begin(capacity.bodies, piece)
    pass_time(capacity, STOPPED_S)

    assert (408, "timeout") == (await body.task, body.code)
    assert 0 == (await client.get("/tasks")).json()["count"]


@pytest.mark.usefixtures("quick_looks")
async def test_a_body_in_small_pieces(client: Client, capacity: Capacity) -> None:
    """A body may arrive slowly as long as it never stops."""
    body = await HeldBody(client).begin(capacity.bodies)
    (pending,), given = capacity.bodies._pending, 0

    def is_read() -> bool:
        return pending.size == given or body.task.done()

    for _ in range(round(STOPPED_S) + 2):
        pass_time(capacity, 1)
        await asyncio.sleep(2 * pending_bodies.LOOK_EVERY_S)  # for a check
        body.give(b" " * LEAST_RATE)
        given += LEAST_RATE
        await until(is_read)

    assert 201 == await body.finish()


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let only as many bodies make room as necessary."""
    monkeypatch.setattr(pending_bodies, "GIVEN_UP_TOGETHER", 1)


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("limit", ["most", "most_each"])
async def test_too_many_bodies(client: Client, capacity: Capacity, limit: str) -> None:
    """The body that is furthest behind makes room. No other is refused, although all come from one address."""
    setattr(capacity.bodies.count, limit, 2)
    moving = await HeldBody(client).begin(capacity.bodies, b" " * 5 * LEAST_RATE)
    stopped = await HeldBody(client).begin(capacity.bodies, BODY[:1])
    pass_time(capacity, 5)
    newest = await HeldBody(client).begin(capacity.bodies, BODY)

    assert (503, "unavailable") == (await stopped.task, stopped.code)
    newest.give(b"")
    assert 201 == await newest.task
    assert 201 == await moving.finish()


@pytest.mark.usefixtures("one_by_one")
async def test_too_many_bodies_of_one_client(client: Client, capacity: Capacity) -> None:
    """A client beyond its share loses one of its own bodies, even if another client's is further behind."""
    capacity.bodies.count.most_each = 1
    other = await HeldBody(client, "192.0.2.2").begin(capacity.bodies)
    pass_time(capacity, 5)
    first, second = [await HeldBody(client, "192.0.2.1").begin(capacity.bodies) for _ in range(2)]

    assert 503 == await first.task
    assert [201, 201] == [await each.finish() for each in (other, second)]


@pytest.mark.usefixtures("one_by_one")
async def test_too_much_memory_for_bodies(client: Client, capacity: Capacity) -> None:
    """The bodies that waste the most memory make room, so no body that makes progress is refused."""
    capacity.bodies.bytes.most = 10_000
    small = await HeldBody(client).begin(capacity.bodies, BODY[:1])
    large = await HeldBody(client).begin(capacity.bodies, b" " * 8_000)
    pass_time(capacity, 5)
    moving = await HeldBody(client).begin(capacity.bodies)
    moving.give(b" " * 8_000)

    assert (503, "unavailable") == (await large.task, large.code)
    assert 201 == await moving.finish()
    small.give(BODY[1:])
    small.give(b"")
    assert 201 == await small.task


async def test_too_much_memory_at_work(client: Client, capacity: Capacity) -> None:
    """If requests at work need all the memory, the next body is refused for now."""
    capacity.bodies.bytes.most = 10
    body = await HeldBody(client).begin(capacity.bodies)
    body.give(BODY)

    assert (503, "unavailable") == (await body.task, body.code)


async def test_the_service_stops(client: Client, capacity: Capacity) -> None:
    """An incomplete body gets an error when the service stops."""
    body = await HeldBody(client).begin(capacity.bodies, BODY[:1])

    capacity.bodies.close()

    assert (503, "unavailable") == (await body.task, body.code)


async def test_the_client_leaves(capacity: Capacity, client: Client) -> None:
    """A body no longer counts once its client has gone."""
    scope = scope_of("http", b"/tasks", [(b"host", HOST.encode())], method="POST")
    answered: list[Message] = []

    async def left() -> Message:
        assert 1 == capacity.bodies.count.taken
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answered.append(message)

    await client.service.app(scope, left, send)

    assert 499 == answered[0]["status"]
    assert 0 == capacity.bodies.count.taken
