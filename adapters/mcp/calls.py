"""From the arguments of a tool to a request."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match

from adapters.mcp.service import Request
from adapters.mcp.tools import PAGE, PLAIN, Tool

MAX_FAULTS = 10
MAX_FAULT = 300
"""How many faults of the arguments are told, and how long each may be."""


def faults(tool: Tool, arguments: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the arguments of a tool, as far as its schema tells."""
    try:
        json.dumps(arguments, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return ["a number is not finite or far too long, or a text is not Unicode"]
    found = Draft202012Validator(tool.schema).iter_errors(dict(arguments))
    return sorted(_told(error)[:MAX_FAULT] for error in found)[:MAX_FAULTS]


def _told(error: ValidationError) -> str:
    deepest = best_match([error]) or error  # what fits none of several schemas says more where it nearly fits
    if deepest.context:
        deepest = deepest.context[0]  # where it fits none even nearly, the first one is the usual one
    return f"{deepest.json_path.removeprefix('$').removeprefix('.') or 'arguments'}: {deepest.message}"


def request(tool: Tool, arguments: Mapping[str, Any], key: str | None) -> Request:
    """Return the request of a call whose arguments have no faults. `key` makes a write safe to repeat."""
    operation = tool.operation
    body = {name: arguments[name] for name in operation.body.get("properties", ()) if name in arguments}
    return Request(
        method=operation.method,
        path=operation.path.replace("{id}", _text(arguments.get("id"))),
        query=tuple(_query(tool, arguments)),
        headers=_headers(arguments, key),
        body=body if operation.body else None,
        wait=arguments.get("wait", 0),
    )


def _headers(arguments: Mapping[str, Any], key: str | None) -> dict[str, str]:
    version = {"if-match": f'"{int(arguments["version"])}"'} if "version" in arguments else {}
    return {**version, **({"idempotency-key": key} if key else {})}


def _query(tool: Tool, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in PLAIN:
        if ("query", name) in tool.operation.parameters and name in arguments:
            yield from _values(name, arguments[name])
    if ("query", "limit") in tool.operation.parameters and "limit" not in arguments:
        yield "limit", str(PAGE)
    for condition in arguments.get("where", ()):
        operator = "" if condition["is"] == "equal" else f"[{condition['is']}]"
        yield from _values(f"{condition['field']}{operator}", condition["value"])


def _values(name: str, value: Any) -> Iterator[tuple[str, str]]:
    for each in value if isinstance(value, list) else [value]:
        yield name, _text(each)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
