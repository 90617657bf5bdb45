"""The way of every write: commands to the store, and the outcome, kept or replayed, back to the client."""

from collections.abc import Callable

from attrs import evolve, frozen
from starlette.background import BackgroundTask

from adapters.http.handlers.idempotency import earlier_answer, fingerprint, key_name
from adapters.http.requests.header_lists import parsed
from adapters.http.requests.request import Request
from adapters.http.responses.responses import Response
from domain.changes import Cursor
from domain.commands import Command
from domain.decisions import CommandBatch, IdempotencyKey, Outcome, Replay
from domain.deliveries import Delivery, WebhookDispatcher
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
        """Return the answer that `render` makes of the outcome, also of one that was kept under the key."""
        dry_run = only_validates(request)
        name = key_name(request)
        key = None
        if name is not None:  # also of a dry run, which would be answered from what it kept, but keeps nothing itself
            key = IdempotencyKey(caller=request.grant.caller, name=name, fingerprint=fingerprint(request, body))
        submission = CommandBatch(
            commands=commands,
            request_id=request.request_id,
            atomic=atomic,
            dry_run=dry_run,
            key=key,
            deliveries=deliveries,
            follow=follow,
            actor=request.grant.actor,
        )
        answer = await self.writer.submit(submission)
        response = _replayed(answer, render) if isinstance(answer, Replay) else render(answer)
        if dry_run:
            return response.plus(APPLIED)
        if isinstance(answer, Outcome) and (self.dispatcher.has_readers or commands[0].entity_type.subscribes):
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


def _replayed(replay: Replay, render: Callable[[Outcome], Response]) -> Response:
    kept = replay.outcome
    response = render(kept) if isinstance(kept, Outcome) else earlier_answer(kept)
    return response.plus((b"idempotency-replayed", b"true"))
