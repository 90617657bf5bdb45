"""One path as an ASGI application: the operation of the method, or a refusal that names the methods that there are."""

from starlette.types import Receive, Scope, Send

from backroom.adapters.http.answers import Answer
from backroom.adapters.http.call import Call, call_of
from backroom.adapters.http.declarations import Handler, Operation, Path
from backroom.adapters.http.negotiation import quality
from backroom.adapters.http.refusals import BadParameter, MethodNotAllowed, NotAcceptable


class Endpoint:
    """Serves every method of a path."""

    def __init__(self, path: Path) -> None:
        methods = [*path.operations, *(["HEAD"] if "GET" in path.operations else []), "OPTIONS"]
        self._allow = (b"allow", ", ".join(methods).encode())
        self._operations = {method: _checked(operation) for method, operation in path.operations.items()}
        if "GET" in self._operations:
            self._operations["HEAD"] = self._operations["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        operation = self._operations.get(scope["method"])
        if operation is not None:
            answer = await operation(call_of(scope))
        elif scope["method"] == "OPTIONS":
            answer = Answer(status=204, headers=(self._allow,))
        else:
            raise MethodNotAllowed(f"{scope['method']} is not a method of this path", headers=(self._allow,))
        await answer(scope, receive, send)


def _checked(operation: Operation) -> Handler:
    """Return the operation's handler behind the checks that its declaration asks for."""
    handler = operation.handler
    takes_query = any(each.place == "query" for each in operation.parameters)
    media_types = {reply.media_type for reply in operation.replies.values()}

    async def checked(call: Call) -> Answer:
        if not takes_query and call.query:
            raise BadParameter("this path takes no parameters")
        if b"accept" in call.headers and not any(quality(call, media_type) for media_type in media_types):
            raise NotAcceptable(f"this path answers with {' or '.join(sorted(media_types))}")
        return await handler(call)

    return checked
