"""One path as an ASGI application: it runs the operation of the method, and turns errors into responses."""

from attrs import frozen
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.admission.gate import Gate
from adapters.http.handlers.error_handler import response_for
from adapters.http.openapi.declarations import Handler, Operation, Path
from adapters.http.requests.etags import known_tag
from adapters.http.requests.negotiation import quality
from adapters.http.requests.request import Request, request_of
from adapters.http.responses.caching import NEVER, etag_of_content
from adapters.http.responses.http_errors import MethodNotAllowed, NotAcceptable
from adapters.http.responses.responses import Header, Response
from domain.access.scopes import AccessScope
from domain.errors import BadParameter


class Endpoint:
    """Serves every method of a path."""

    def __init__(self, path: Path, gate: Gate) -> None:
        methods = [*path.operations, *(["HEAD"] if "GET" in path.operations else []), "OPTIONS"]
        allow: Header = (b"allow", ", ".join(methods).encode())
        self._unlisted = _Unlisted(allow, gate)
        self._served: dict[str, _Served] = {method: _served(each, gate) for method, each in path.operations.items()}
        if "GET" in self._served:
            self._served["HEAD"] = self._served["GET"]
        self._served["OPTIONS"] = _Served(
            self._unlisted.options, gate, needed=None, takes_query=True, media_types=(), caching=NEVER
        )  # a preflight shows no key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = request_of(scope)
        served = self._served.get(scope["method"])
        try:
            response = await (self._unlisted.method(request) if served is None else served.handle(request))
        except Exception as error:  # noqa: BLE001 - the one place that answers for all of them
            response = response_for(error, request)
        await response(scope, receive, send)


@frozen
class _Unlisted:
    """The responses of every path to methods that it does not declare."""

    allow: Header
    gate: Gate

    async def options(self, request: Request) -> Response:
        del request
        return Response(status=204, headers=(self.allow,))

    async def method(self, request: Request) -> Response:
        await self.gate.admit(request, AccessScope.READ)
        raise MethodNotAllowed(f"{request.method} is not a method of this path", headers=(self.allow,))


@frozen
class _Served:
    """An operation behind the checks that its declaration requires."""

    handler: Handler
    gate: Gate
    needed: AccessScope | None
    takes_query: bool
    media_types: tuple[str, ...]
    caching: bytes
    is_point_read: bool = False

    async def handle(self, request: Request) -> ASGIApp:
        if not self.is_point_read:
            await self.gate.admit(request, self.needed)
            return await self._answer(request)
        admission = self.gate.admit(request, self.needed)  # in one round trip with what is read
        try:
            return await self._answer(request)
        finally:
            await admission  # its error takes the place of any answer

    async def _answer(self, request: Request) -> ASGIApp:
        if request.query and not self.takes_query:
            raise BadParameter("this path takes no parameters")
        if b"accept" in request.headers and self.media_types and not self._is_acceptable(request):
            raise NotAcceptable(f"this path answers with {' or '.join(self.media_types)}")
        request.caching = self.caching
        response = await self.handler(request)
        return response if self.caching == NEVER else _tagged(request, response)

    def _is_acceptable(self, request: Request) -> bool:
        return any(quality(request, media_type) for media_type in self.media_types)


def _tagged(request: Request, response: ASGIApp) -> ASGIApp:
    """Return a response that may be cached with an etag, or 304 if the client has it by that etag."""
    if not isinstance(response, Response) or response.status != 200 or b"etag" in dict(response.headers):
        return response
    etag = (b"etag", etag_of_content(response.body))
    return response.plus(etag) if known_tag(request, etag[1]) is None else Response(status=304, headers=(etag,))


def _served(operation: Operation, gate: Gate) -> _Served:
    takes_query = any(each.location == "query" for each in operation.parameters)
    replies = operation.replies.values()
    media_types = {each for reply in replies for each in (reply.media_type, *reply.also)}
    types = tuple(sorted(media_types))
    return _Served(
        operation.handler, gate, operation.scope, takes_query, types, operation.caching, operation.is_point_read
    )
