"""The service's OpenAPI document, as far as tools are made from it."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from adapters.mcp.service import NotBackroom

TITLE, MAJOR = "backroom", "1"
LOG_OPERATION = "pollChanges"
METHODS = ("get", "post", "put", "patch", "delete")

Schema = dict[str, Any]


@frozen(kw_only=True)
class Operation:
    """One operation, with the parts that a tool uses; its schemas hold no references and no patterns."""

    method: str
    path: str
    scope: str
    collection: str
    parameters: Mapping[tuple[str, str], Schema]
    """The schema of each parameter by location and name, with its description."""
    body: Schema
    """The schema of the body, without what is read-only; empty where there is no body."""


class Document:
    """An OpenAPI document of this service. Raises `NotBackroom` for any other document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        info = document.get("info")
        title, version = (str(info.get(name)) for name in ("title", "version")) if isinstance(info, dict) else ("", "")
        if title != TITLE:
            raise NotBackroom("the OpenAPI document there is not that of backroom")
        if version.partition(".")[0] != MAJOR:
            raise NotBackroom(
                f"the service speaks version {version} of its API, and this program version {MAJOR};"
                " use the program of the service's own version"
            )
        self._document = document
        self._found = {
            described["operationId"]: (path, method, described)
            for path, methods in document["paths"].items()
            for method, described in methods.items()
            if method in METHODS
        }

    def entities(self) -> list[str]:
        """Return the names of the public entity types, such as Task: those whose changes are in the log."""
        poll = self._found[LOG_OPERATION][2]
        page = self._component(poll["responses"]["200"]["content"]["application/json"]["schema"])
        references = page["properties"]["changes"]["items"]["anyOf"]
        return [each["$ref"].rpartition("/")[2].removesuffix("Change") for each in references]

    def operation(self, id: str) -> Operation | None:
        """Return an operation, or None if this service has none of that name."""
        if id not in self._found:
            return None
        path, method, described = self._found[id]
        bodies: list[Schema] = [*described.get("requestBody", {}).get("content", {}).values()]
        schema: Schema = bodies[0]["schema"] if bodies else {}
        return Operation(
            method=method.upper(),
            path=path,
            scope=described["security"][0]["key"][0],
            collection=described["tags"][0],
            parameters={(each["in"], each["name"]): self._described(each) for each in described.get("parameters", ())},
            body=_writable(self._simplified(schema)),
        )

    def _described(self, parameter: Mapping[str, Any]) -> Schema:
        """Return the schema of a parameter. That of a header keeps its pattern: not every text can be sent in one."""
        text = {"description": parameter["description"]} if "description" in parameter else {}
        is_header = parameter["in"] == "header"
        return {**(parameter["schema"] if is_header else self._simplified(parameter["schema"])), **text}

    def _simplified(self, schema: Any) -> Any:
        """Return a schema with its references resolved.

        Patterns are left out: they are long, models read them badly, and the service says what is wrong. So are names
        for generators.
        """
        if isinstance(schema, list):
            return [self._simplified(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return self._simplified(self._component(schema))
        return {
            name: self._properties(each) if name == "properties" else self._simplified(each)
            for name, each in schema.items()
            if name != "pattern" and not name.startswith("x-")
        }

    def _component(self, reference: Mapping[str, str]) -> Schema:
        found: Schema = self._document["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
        return found

    def _properties(self, properties: Mapping[str, Any]) -> Schema:
        """Simplify each property; one may be called `pattern` itself."""
        return {name: self._simplified(each) for name, each in properties.items()}


def _writable(schema: Schema) -> Schema:
    properties = schema.get("properties", {})
    writable = {name: each for name, each in properties.items() if not each.get("readOnly")}
    return {**schema, "properties": writable} if properties else schema
