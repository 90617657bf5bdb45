"""A refused change as its difference: what the caller read, what he sent, and what others wrote meanwhile."""

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from adapters.mcp import tools
from adapters.mcp.results import Arguments, Result, Shown, call
from adapters.mcp.tools import Tool

MAX_SEEN = 1000
"""How many versions of entities are remembered."""

Entity = Mapping[str, Any]


class Seen:
    """The versions of entities that the assistant was shown, because he means one of these when he names a version."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, int, int], Entity] = OrderedDict()

    def note(self, tool: Tool, document: Mapping[str, Any]) -> None:
        """Remember all entities in an answer to a tool."""
        for one, entity in _entities(tool, document):
            version = one, entity["id"], entity["version"]
            self._seen[version] = entity
            self._seen.move_to_end(version)
        while len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)

    def find(self, one: str, id: int, version: int) -> Entity | None:
        """Return a version of an entity, if it was shown lately."""
        return self._seen.get((one, id, version))


def _entities(tool: Tool, document: Mapping[str, Any]) -> list[tuple[str, Entity]]:
    match tool.verb:
        case tools.CHANGES:
            return [(each["type"].partition(".")[0], each["data"]) for each in document["changes"]]
        case tools.HISTORY:
            return [(tool.one, each["data"]) for each in document["history"]]
        case tools.LIST:
            found = document[tool.operation.collection]
            return [(tool.one, each) for each in (found if isinstance(found, list) else found.values())]
        case tools.DELETE:
            return [(tool.one, document["deleted"])]
    return [(tool.one, document)]


def conflict(tool: Tool, arguments: Arguments, problem: Mapping[str, Any], base: Entity | None) -> Result:
    """Return the result of a change that named an older version than the current one. `base` is that one, if known."""
    current = problem["current"]
    mine = {name: arguments[name] for name in tool.operation.body.get("properties", ()) if name in arguments}
    mine = {name: value for name, value in mine.items() if name in current}
    fields = dict.fromkeys([*problem["changed"], *mine])
    conflicts = [name for name in problem["changed"] if name in mine and not _is_same(mine[name], current[name])]
    return Result(
        {
            "error": {name: problem[name] for name in ("status", "code", "detail")},
            "difference": {name: _field(name, base, mine, current) for name in fields},
            "conflicts": conflicts,
            "current_version": current["version"],
            **_what_next(tool, arguments, current["version"], conflicts, is_edit=bool(mine)),
        },
        is_error=True,
    )


def _is_same(mine: Any, theirs: Any) -> bool:
    """Tell whether both wrote the same. A price may be sent as a text too, such as 12.50."""
    if isinstance(mine, str) and isinstance(theirs, float):
        with suppress(ValueError):
            mine = float(mine)
    return bool(mine == theirs)


def _field(name: str, base: Entity | None, mine: Mapping[str, Any], current: Entity) -> Shown:
    return {
        **({"base": base[name]} if base is not None else {}),
        **({"mine": mine[name]} if name in mine else {}),
        "theirs": current[name],
    }


def _what_next(tool: Tool, arguments: Arguments, version: int, conflicts: list[str], *, is_edit: bool) -> Shown:
    nothing = "Nothing was done: somebody changed it after the version that you named."
    if conflicts:
        return {
            "hint": f"{nothing} You both changed {', '.join(conflicts)}. Decide on each value, or ask; then call"
            f" {tool.name} with version {version}."
        }
    if is_edit:
        again = {name: value for name, value in arguments.items() if name != "idempotency_key"}
        return {
            "next": call(tool.name, again, version=version),
            "hint": f"{nothing} They changed other fields than you. The call in `next` keeps both changes.",
        }
    return {"hint": f"{nothing} Look at the difference. If you still mean it, call {tool.name} with version {version}."}
