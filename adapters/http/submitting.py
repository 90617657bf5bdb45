"""The way of every write: commands to the store, and the outcome, kept or replayed, back to the client."""

import re
from collections.abc import Callable

from attrs import evolve, frozen
from starlette.background import BackgroundTask

from adapters.http.answers import Answer
from adapters.http.call import Call
from adapters.http.idempotency import fingerprint, key_name, receipt, replay
from domain.changes import Cursor
from domain.commands import Command
from domain.decisions import Key, Outcome, Replay, Submission
from domain.deliveries import Courier, Delivery
from domain.errors import DomainError
from domain.ports import Writer
from domain.webhook import WEBHOOK

_VALIDATE_ONLY = re.compile(r"\s*validate-only\s*([;=]|$)", re.IGNORECASE)
APPLIED = (b"preference-applied", b"validate-only")


@frozen(eq=False)
class Submitter:
    """Submits the commands of a request with its key and its preferences."""

    writer: Writer
    courier: Courier

    async def submit(
        self,
        call: Call,
        body: bytes,
        commands: tuple[Command, ...],
        render: Callable[[Outcome], Answer],
        *,
        atomic: bool = True,
        deliveries: tuple[Delivery, ...] = (),
        follow: Cursor | None = None,
    ) -> Answer:
        """Return the answer that `render` makes of the outcome, or made of it when the key was first seen."""
        rehearsal = only_validates(call)
        render = _once(render)
        name = key_name(call)
        key = None
        if name is not None:  # also of a rehearsal, which would be answered from what it kept, but keeps nothing itself
            key = Key(caller="", name=name, fingerprint=fingerprint(call, body), record=_recorder(render))
        submission = Submission(
            commands=commands,
            request_id=call.request_id,
            atomic=atomic,
            rehearsal=rehearsal,
            key=key,
            deliveries=deliveries,
            follow=follow,
        )
        outcome = await self.writer.submit(submission)
        answer = replay(outcome.receipt) if isinstance(outcome, Replay) else render(outcome)
        if rehearsal:
            return answer.plus(APPLIED)
        if isinstance(outcome, Outcome) and (self.courier.has_readers or commands[0].kind is WEBHOOK):
            return evolve(answer, background=BackgroundTask(self.courier.nudge))
        return answer


def only_validates(call: Call) -> bool:
    """Tell whether the client wants to hear what would become of the request (RFC 7240).

    A value that nobody asked for, as in `validate-only=true`, does not make a request harmful.
    """
    header = call.header(b"prefer")
    return header is not None and any(_VALIDATE_ONLY.match(each) for each in header.split(","))


def _once(render: Callable[[Outcome], Answer]) -> Callable[[Outcome], Answer]:
    """Return `render`, but rendering an outcome once although it is both kept and sent."""
    rendered: tuple[Outcome | None, Answer | None] = None, None

    def once(outcome: Outcome) -> Answer:
        nonlocal rendered
        last, answer = rendered
        if answer is None or last is not outcome:
            answer = render(outcome)
            rendered = outcome, answer
        return answer

    return once


def _recorder(render: Callable[[Outcome], Answer]) -> Callable[[Outcome], bytes | None]:
    def record(outcome: Outcome) -> bytes | None:
        return receipt(render(outcome)) if _is_kept(outcome) else None

    return record


def _is_kept(outcome: Outcome) -> bool:
    """Tell whether the store decided the outcome. The same request would be refused in the same way otherwise."""
    refusal = outcome.results[outcome.failed] if outcome.failed is not None else None
    return not isinstance(refusal, DomainError) or refusal.decided
