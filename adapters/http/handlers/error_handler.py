"""Turns an exception into a response: an expected error into its problem, any other into a fault of the service."""

import logging

from starlette.requests import ClientDisconnect

from adapters.http.handlers.submitting import applied
from adapters.http.requests.request import SAFE_METHODS, Request
from adapters.http.responses.http_errors import HttpError
from adapters.http.responses.problems import PROBLEMS, problem, problem_response, response_of
from adapters.http.responses.responses import Response
from domain.errors import DomainError

NOBODY_LISTENS = 499

_log = logging.getLogger("backroom")


def response_for(error: Exception, request: Request) -> Response:
    """Return the response for an exception. An unexpected one is logged with the id of its request."""
    match error:
        case DomainError() | HttpError():
            response = response_of(error, request.request_id, request.root)
            return response if request.method in SAFE_METHODS else response.plus(*applied(request))
        case ClientDisconnect():
            return Response(status=NOBODY_LISTENS)
        case _:
            _log.error("request %s failed", request.request_id, exc_info=error)
            return problem_response(
                problem("internal_error", PROBLEMS["internal_error"].explanation, request.request_id, request.root)
            )
