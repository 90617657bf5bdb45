"""The tools that one caller may use, and the way of a call: arguments, request, answer, result."""

from collections.abc import Hashable, Mapping
from typing import Any

from attrs import frozen

from adapters.mcp import calls, problems
from adapters.mcp.difference import Seen, conflict
from adapters.mcp.document import Document
from adapters.mcp.repetitions import Repetitions
from adapters.mcp.results import Result, succeeded
from adapters.mcp.service import Answer, NotBackroom, Request, Service, ServiceError
from adapters.mcp.tools import Tool, tools
from domain.access.scopes import AccessScope


class UnknownTool(Exception):
    """There is no tool of this name."""


@frozen
class Catalogue:
    """All tools by name, and the scope of the caller."""

    tools: Mapping[str, Tool]
    scope: AccessScope

    def allows(self, tool: Tool) -> bool:
        """Tell whether the caller may use a tool."""
        return self.scope.includes(AccessScope(tool.operation.scope))


class Toolbox:
    """Lists the tools of a service, and calls them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._catalogue: Catalogue | None = None
        self._repetitions = Repetitions()
        self._seen = Seen()

    async def tools(self) -> list[Tool]:
        """Return what the service offers to this caller now. Raises `ServiceError`."""
        self._catalogue = catalogue = await self._read()
        return [tool for tool in catalogue.tools.values() if catalogue.allows(tool)]

    async def call(self, id: Hashable, name: str, arguments: Mapping[str, Any]) -> Result:
        """Carry out a call, which `id` names. Raises `UnknownTool`; whatever else fails is a result."""
        try:
            catalogue = self._catalogue = self._catalogue or await self._read()
        except ServiceError as error:
            return problems.unknown_service(error)
        if (tool := catalogue.tools.get(name)) is None:
            raise UnknownTool(name)
        if not catalogue.allows(tool):
            return problems.not_allowed(tool)
        if found := calls.faults(tool, arguments):
            return problems.wrong(found)
        return await self._carry_out(id, tool, arguments)

    def cancelled(self, id: Hashable) -> None:
        """Note that the client did not take, or will not take, the result of a call."""
        self._repetitions.lose(id)

    async def _read(self) -> Catalogue:
        document = Document(await self._get("/openapi.json"))
        session = await self._get("/session")
        return Catalogue({tool.name: tool for tool in tools(document)}, AccessScope(session["scope"]))

    async def _get(self, path: str) -> dict[str, Any]:
        answer = await self._service.send(Request(method="GET", path=path))
        if answer.status == 200:
            return answer.document
        told = answer.document.get("detail", f"{path} answers with {answer.status}")
        hint = problems.HINTS["unauthorized"] if answer.status == 401 else ""
        raise NotBackroom(f"{told} {hint}".strip())

    async def _carry_out(self, id: Hashable, tool: Tool, arguments: Mapping[str, Any]) -> Result:
        key = self._key(id, tool, arguments)
        try:
            answer = await self._service.send(calls.request(tool, arguments, key))
        except ServiceError as error:
            self._repetitions.lose(id)
            return problems.unanswered(error, tool, arguments, key)
        if not answer.is_final:
            self._repetitions.lose(id)
        return self._result(tool, arguments, answer)

    def _key(self, id: Hashable, tool: Tool, arguments: Mapping[str, Any]) -> str | None:
        if tool.verb.reads:
            return None
        given: str | None = arguments.get("idempotency_key")
        return given or self._repetitions.key(id, tool.name, arguments)

    def _result(self, tool: Tool, arguments: Mapping[str, Any], answer: Answer) -> Result:
        if answer.status < 300:
            self._seen.note(tool, answer.document)
            return succeeded(tool, arguments, answer)
        if answer.status == 412 and "current" in answer.document:
            base = self._seen.find(tool.one, arguments["id"], arguments["version"])
            return conflict(tool, arguments, answer.document, base)
        return problems.refused(tool, answer)
