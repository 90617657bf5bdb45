"""How every write runs: a use case with the key and preferences of a request, whose outcome becomes a response."""

from collections.abc import Awaitable, Callable

from attrs import evolve, frozen
from starlette.background import BackgroundTask

from adapters.http.handlers.idempotency import earlier_answer, fingerprint, key_name
from adapters.http.requests.header_lists import parsed
from adapters.http.requests.request import Request
from adapters.http.responses.responses import Header, Response
from domain.decisions import IdempotencyKey, Outcome
from domain.deliveries import WebhookDispatcher
from domain.use_cases.write import Answer, Terms

_APPLIED = (b"preference-applied", b"validate-only")


@frozen(eq=False)
class Submitter:
    """Calls use cases with the idempotency key and the preferences of a request."""

    dispatcher: WebhookDispatcher

    async def submit(
        self,
        request: Request,
        body: bytes,
        use_case: Callable[[Terms], Awaitable[Answer]],
        render: Callable[[Outcome], Response],
        *,
        subscribes: bool = False,
    ) -> Response:
        """Return the response that `render` makes of the outcome, or of the outcome stored under the key."""
        terms = _terms(request, body)
        answer = await use_case(terms)
        response = await request.compute(lambda: _rendered(answer, render))
        if terms.dry_run:
            return response.plus(_APPLIED)
        if isinstance(answer, Outcome) and (self.dispatcher.has_readers or subscribes):
            return evolve(response, background=BackgroundTask(self.dispatcher.wake))
        return response


def _terms(request: Request, body: bytes) -> Terms:
    name = key_name(request)  # a dry run also gets the stored outcome, but stores nothing itself
    key = (
        None
        if name is None
        else IdempotencyKey(caller=request.grant.caller, name=name, fingerprint=fingerprint(request, body))
    )
    return Terms(
        request_id=request.request_id,
        key=key,
        dry_run=only_validates(request),
        actor=request.grant.actor,
        trace=request.trace,
    )


def only_validates(request: Request) -> bool:
    """Tell whether the client asks for a dry run (RFC 7240).

    An unknown value, as in `validate-only=true`, still means a dry run, because a write would do harm.
    """
    header = request.header(b"prefer")
    return header is not None and any(
        each.name.partition("=")[0].rstrip() == "validate-only" for each in parsed(header)
    )


def applied(request: Request) -> tuple[Header, ...]:
    """Return the headers that tell the client of a write that it was a dry run, as it asked for; none otherwise."""
    return (_APPLIED,) if only_validates(request) else ()


def _rendered(answer: Answer, render: Callable[[Outcome], Response]) -> Response:
    if isinstance(answer, Outcome):
        return render(answer)
    kept = answer.outcome
    response = render(kept) if isinstance(kept, Outcome) else earlier_answer(kept)
    return response.plus((b"idempotency-replayed", b"true"))
