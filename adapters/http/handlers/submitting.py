"""The way of every write: commands to the store, and the outcome, kept or replayed, back to the client."""

from collections.abc import Callable

from attrs import evolve, frozen
from starlette.background import BackgroundTask

from adapters.http.handlers.idempotency import fingerprint, key_name, receipt, replay
from adapters.http.requests.header_lists import parsed
from adapters.http.requests.request import Request
from adapters.http.responses.responses import Response
from domain.changes import Cursor
from domain.commands import Command
from domain.decisions import CommandBatch, IdempotencyKey, Outcome, Replay
from domain.deliveries import Delivery, WebhookDispatcher
from domain.errors import DomainError
from domain.ports import Writer

APPLIED = (b"preference-applied", b"validate-only")


@frozen(eq=False)
class Submitter:
    """Submits the commands of a request with its key and its preferences."""

    writer: Writer
    dispatcher: WebhookDispatcher

    async def submit(
        self,
        request: Request,
        body: bytes,
        commands: tuple[Command, ...],
        render: Callable[[Outcome], Response],
        *,
        atomic: bool = True,
        deliveries: tuple[Delivery, ...] = (),
        follow: Cursor | None = None,
    ) -> Response:
        """Return the answer that `render` makes of the outcome, or made of it when the key was first seen."""
        dry_run = only_validates(request)
        render = _once(render)
        name = key_name(request)
        key = None
        if name is not None:  # also of a rehearsal, which would be answered from what it kept, but keeps nothing itself
            key = IdempotencyKey(caller="", name=name, fingerprint=fingerprint(request, body), record=_recorder(render))
        submission = CommandBatch(
            commands=commands,
            request_id=request.request_id,
            atomic=atomic,
            dry_run=dry_run,
            key=key,
            deliveries=deliveries,
            follow=follow,
        )
        outcome = await self.writer.submit(submission)
        response = replay(outcome.receipt) if isinstance(outcome, Replay) else render(outcome)
        if dry_run:
            return response.plus(APPLIED)
        if isinstance(outcome, Outcome) and (self.dispatcher.has_readers or commands[0].entity_type.subscribes):
            return evolve(response, background=BackgroundTask(self.dispatcher.wake))
        return response


def only_validates(request: Request) -> bool:
    """Tell whether the client wants to hear what would become of the request (RFC 7240).

    A value that nobody asked for, as in `validate-only=true`, does not make a request harmful.
    """
    header = request.header(b"prefer")
    return header is not None and any(
        each.name.partition("=")[0].rstrip() == "validate-only" for each in parsed(header)
    )


def _once(render: Callable[[Outcome], Response]) -> Callable[[Outcome], Response]:
    """Return `render`, but rendering an outcome once although it is both kept and sent."""
    rendered: tuple[Outcome | None, Response | None] = None, None

    def once(outcome: Outcome) -> Response:
        nonlocal rendered
        last, response = rendered
        if response is None or last is not outcome:
            response = render(outcome)
            rendered = outcome, response
        return response

    return once


def _recorder(render: Callable[[Outcome], Response]) -> Callable[[Outcome], bytes | None]:
    def record(outcome: Outcome) -> bytes | None:
        return receipt(render(outcome)) if _is_kept(outcome) else None

    return record


def _is_kept(outcome: Outcome) -> bool:
    """Tell whether the store decided the outcome. The same request would be refused in the same way otherwise."""
    refusal = outcome.results[outcome.failed] if outcome.failed is not None else None
    return not isinstance(refusal, DomainError) or refusal.decided
