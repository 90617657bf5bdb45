"""What went wrong, as the result of a tool, with what to do next."""

from collections.abc import Mapping
from typing import Any

from adapters.mcp.results import Arguments, Result, Shown, call
from adapters.mcp.service import Answer, NoAnswer, ServiceError
from adapters.mcp.tools import Tool

MAX_ERRORS = 10
"""How many broken rules are shown."""

_KEPT = ("status", "code", "detail", "errors")
_SHORTLY = "Try again in {wait} s. If it stays so, tell the person that the service is not well."

HINTS = {
    "not_found": "It never existed, or was deleted. If it was deleted, get_{one}_history and restore_{one} still work.",
    "insufficient_stock": "Nothing was taken. get_{one} shows how much there is.",
    "stock_not_tracked": "The stock of this {one} is not counted. edit_{one} with `stock` begins to count it.",
    "already_exists": "Another {one} has this value: list_{many} finds it with `where`.",
    "not_deleted": "It is there already: get_{one} shows it.",
    "bad_cursor": "A cursor belongs to the arguments that it came with. Begin again without it.",
    "cursor_expired": "Changes this old are not kept. List everything anew, and go on with `changes` of that list.",
    "precondition_required": "This service wants `version`: read the {one}, and send the version that you read.",
    "idempotency_key_reused": "Another call had this idempotency_key. Leave it out, or choose a new one.",
    "idempotency_key_in_flight": "The first call is still being carried out. Repeat it as it was in {wait} s.",
    "unauthorized": "A person must set a valid key in BACKROOM_KEY, and start this program again.",
    "forbidden": "This key does not allow it. A person can give you a key with more scope.",
    "rate_limited": "There were too many calls. Try again in {wait} s.",
    "unavailable": _SHORTLY,
    "internal_error": _SHORTLY,
    "storage_full": "The service has no room to write. Reading still works. Tell the person.",
}
_CORRECT = "Nothing was done. Correct the arguments, and call again."


def refused(tool: Tool, answer: Answer) -> Result:
    """Return the result of a call that the service refused."""
    problem = answer.document
    errors = problem.get("errors", [])
    error = {name: problem[name] for name in _KEPT if name in problem}
    if errors:
        error["errors"] = errors[:MAX_ERRORS]
    names = {"one": tool.one, "many": tool.operation.collection, "wait": answer.headers.get("retry-after", "a few")}
    return Result({"error": error, "hint": HINTS.get(problem.get("code", ""), _CORRECT).format(**names)}, is_error=True)


def wrong(faults: list[str]) -> Result:
    """Return the result of a call whose arguments do not fit the tool."""
    return _error("bad_arguments", "; ".join(faults), {"hint": _CORRECT})


def not_allowed(tool: Tool) -> Result:
    """Return the result of a call that the scope of the key does not include."""
    detail = f"{tool.name} needs a key with the scope {tool.operation.scope}"
    return _error("forbidden", detail, {"hint": HINTS["forbidden"]})


def unanswered(error: ServiceError, tool: Tool, arguments: Arguments, key: str | None) -> Result:
    """Return the result of a call without a usable answer. `key` makes the repetition of a write safe."""
    return _error("no_answer", str(error), _after_no_answer(error, tool, arguments, key))


def unknown_service(error: ServiceError) -> Result:
    """Return the result of a call that came before the service said what it offers."""
    return _error("no_answer", str(error), {"hint": f"Nothing was done. {_SHORTLY.format(wait='a few')}"})


def _after_no_answer(error: ServiceError, tool: Tool, arguments: Arguments, key: str | None) -> Shown:
    shortly = _SHORTLY.format(wait="a few")
    if key is None:
        return {"hint": shortly}
    again = call(tool.name, arguments, idempotency_key=key)
    if isinstance(error, NoAnswer) and not error.may_have_happened:
        return {"next": again, "hint": f"Nothing was done. {shortly}"}
    return {
        "next": again,
        "hint": f"It is not known whether this was done. Make the call in `next`: it takes effect once. {shortly}",
    }


def _error(code: str, detail: str, others: Mapping[str, Any]) -> Result:
    return Result({"error": {"code": code, "detail": detail}, **others}, is_error=True)
