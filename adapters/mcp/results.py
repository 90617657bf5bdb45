"""From an answer to the result of a tool: small, with what to do next.

What the service answers stands under its own names. Everything else in a result is the program's own text, which holds
nothing of what the store holds but ids and versions. So no text of the store can look like advice.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attrs import frozen

from adapters.mcp import tools
from adapters.mcp.service import Answer
from adapters.mcp.tools import CHANGES, Tool, Verb

MAX_SHOWN = 200
"""Characters. Where many entities are shown, a longer text is replaced by its beginning and its length."""

Arguments = Mapping[str, Any]
Shown = dict[str, Any]


@frozen
class Result:
    """The result of a call."""

    document: Shown
    is_error: bool = False


def succeeded(tool: Tool, arguments: Arguments, answer: Answer) -> Result:
    """Return the result of a call that the service carried out."""
    shown = _SHOWN[tool.verb](tool, arguments, answer.document)
    if answer.headers.get("idempotency-replayed") != "true":
        return Result(shown)
    return Result({**shown, "replayed": True, "hint": REPLAYED})


REPLAYED = (
    "This is the outcome of the earlier call, whose answer was lost: nothing was done twice. If you mean to do it once"
    " more, call again, without its idempotency_key."
)


def call(tool: str, arguments: Arguments, **others: Any) -> Shown:
    """Return a call that the assistant may make next."""
    return {"tool": tool, "arguments": {**arguments, **others}}


def shortened(entity: Mapping[str, Any]) -> Shown:
    """Return an entity for a list. A text that is cut is an object, so that nobody can write it back by mistake."""
    return {name: _shortened(value) for name, value in entity.items()}


def _shortened(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= MAX_SHOWN:
        return value
    return {"begins": value[: MAX_SHOWN // 2], "characters": len(value)}


def _page(tool: Tool, arguments: Arguments, document: Shown) -> Shown:
    collection = tool.operation.collection
    found = document[collection]
    entities = found if isinstance(found, list) else [found[str(id)] for id in document["ids"]]
    total = {"total": document["total"]} if "total" in document else {}
    changes = _of_query(document["changes"])
    return {
        collection: [shortened(each) for each in entities],
        "count": document["count"],
        **total,
        "changes": call(CHANGES.name, {"after": changes["after"], "types": changes["types"].split(",")}),
        **_next(tool, arguments, document["next"]),
    }


def _history(tool: Tool, arguments: Arguments, document: Shown) -> Shown:
    return {
        "history": [_change(each) for each in document["history"]],
        **_next(tool, arguments, document["next"]),
    }


def _next(tool: Tool, arguments: Arguments, url: str | None) -> Shown:
    if url is None:
        return {"hint": "These are all."}
    cursor = _of_query(url)["cursor"]
    return {"next": call(tool.name, arguments, cursor=cursor), "hint": "There are more: make the call in `next`."}


def _changes(tool: Tool, arguments: Arguments, document: Shown) -> Shown:
    changes = document["changes"]
    is_full = len(changes) >= arguments.get("limit", tools.PAGE)
    return {
        "changes": [_change(each) for each in changes],
        "next": call(tool.name, arguments, after=document["cursor"]),
        "hint": (
            "There may be more: make the call in `next`."
            if is_full
            else "This is the end for now; the call in `next` goes on from here, later."
        ),
    }


def _change(change: Shown) -> Shown:
    kept = {name: value for name, value in change.items() if name not in ("cursor", "request_id")}
    return {**kept, "data": shortened(change["data"])}


def _entity(tool: Tool, arguments: Arguments, document: Shown) -> Shown:
    del arguments
    edit = tool.named(tools.EDIT)
    return {
        tool.one: document,
        "hint": f"To change it, call {edit} with id {document['id']} and version {document['version']}.",
    }


def _deleted(tool: Tool, arguments: Arguments, document: Shown) -> Shown:
    del arguments
    entity = document["deleted"]
    restore = tool.named(tools.RESTORE)
    return {
        "deleted": entity,
        "hint": f"To bring it back, call {restore} with id {entity['id']} and version {entity['version']}.",
    }


def _of_query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


_SHOWN: dict[Verb, Callable[[Tool, Arguments, Shown], Shown]] = {
    tools.LIST: _page,
    tools.HISTORY: _history,
    tools.CHANGES: _changes,
    tools.GET: _entity,
    tools.CREATE: _entity,
    tools.EDIT: _entity,
    tools.RESTORE: _entity,
    tools.STOCK: _entity,
    tools.DELETE: _deleted,
}
