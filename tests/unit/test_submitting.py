"""What is sent for a write, and what is kept of it."""

import pytest
from attrs import define, field

from adapters.http.handlers.submitting import Submitter
from adapters.http.requests.request import Request
from adapters.http.responses.responses import Response
from adapters.memory.store import MemoryStore
from domain.decisions import CommandBatch, Outcome, Replay
from domain.errors import NotFound
from domain.task import TASK
from tests.builders import SERIALIZER, Clock, create
from tests.webhooks.endpoints import Endpoints, make_dispatcher

pytestmark = pytest.mark.anyio


@define
class Undecided:
    """Decides twice, as a store does where somebody else was faster, and not the same."""

    receipts: list[bytes | None] = field(factory=list)

    async def submit(self, submission: CommandBatch) -> Outcome | Replay:
        """Record both outcomes, and return the second one."""
        assert submission.key is not None
        first, second = Outcome(results=()), Outcome(results=(NotFound(entity_type="task", id=1),))
        self.receipts += map(submission.key.record, (first, second))
        return second


async def received() -> dict[str, object]:
    """Return an empty body."""
    return {"type": "http.request"}


async def test_the_last_decision_counts() -> None:
    """What is kept, and what is sent, is what the store decided in the end."""
    store, call = Undecided(), Request("POST", "/tasks", b"", {b"idempotency-key": b"k"}, received, "r-1")
    dispatcher = make_dispatcher(MemoryStore(Clock(), SERIALIZER), Endpoints(Clock()))

    def render(outcome: Outcome) -> Response:
        return Response(body=b"%d results" % len(outcome.results))

    answer = await Submitter(store, dispatcher).submit(call, b"{}", (create(TASK),), render)
    assert b"1 results" == answer.body
    assert store.receipts[-1] is not None
    assert store.receipts[-1].endswith(b"\n1 results")
