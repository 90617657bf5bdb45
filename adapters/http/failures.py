"""What is answered when something goes wrong: refusals as what they are, anything else as our fault."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from adapters.http.answers import Answer
from adapters.http.call import Call
from adapters.http.guard import SAFE_METHODS
from adapters.http.problems import PROBLEMS, answer_of, problem, problem_answer
from adapters.http.refusals import MethodNotAllowed, Missing, Refusal
from adapters.http.submitting import APPLIED, only_validates
from domain.errors import DomainError

NOBODY_LISTENS = 499
READ_ONLY = (b"allow", b"GET, HEAD, OPTIONS")

_log = logging.getLogger("backroom")


def answer_for(error: Exception, call: Call) -> Answer:
    """Return the answer for an error; one that nobody foresaw is logged under the id of its request."""
    match error:
        case DomainError() | Refusal():
            answer = answer_of(error, call.request_id)
            return answer.plus(APPLIED) if call.method not in SAFE_METHODS and only_validates(call) else answer
        case HTTPException(status_code=405):
            return answer_of(MethodNotAllowed("only GET and HEAD", headers=(READ_ONLY,)), call.request_id)
        case HTTPException():
            return answer_of(Missing("there is nothing at this path"), call.request_id)
        case ClientDisconnect():
            return Answer(status=NOBODY_LISTENS)
        case _:
            _log.error("request %s failed", call.request_id, exc_info=error)
            return problem_answer(problem("internal_error", PROBLEMS["internal_error"].explanation, call.request_id))
