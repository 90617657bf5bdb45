"""An assistant: a client of the package `mcp`, connected in process to the tools of a service in process."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from attrs import define, field
from mcp import Client
from mcp.types import CallToolResult, TextContent, Tool

from adapters.mcp.server import make_server
from adapters.mcp.service import Service
from adapters.mcp.toolbox import Toolbox
from tests.http.transport import ORIGIN

Result = dict[str, Any]


@define(eq=False)
class Assistant:
    """Calls tools, and keeps the last result."""

    client: Client
    last: CallToolResult = field(init=False)

    async def tools(self) -> dict[str, Tool]:
        """Return the tools by name."""
        return {tool.name: tool for tool in (await self.client.list_tools(cache_mode="bypass")).tools}

    async def call(self, tool: str, **arguments: Any) -> Result:
        """Return the result of a call that succeeds."""
        result = await self.result(tool, **arguments)
        assert not self.last.is_error, result
        return result

    async def refused(self, tool: str, **arguments: Any) -> Result:
        """Return the result of a call that fails."""
        result = await self.result(tool, **arguments)
        assert self.last.is_error, result
        return result

    async def follow(self, result: Result) -> Result:
        """Make the call that a result proposes."""
        return await self.call(result["next"]["tool"], **result["next"]["arguments"])

    async def result(self, tool: str, **arguments: Any) -> Result:
        """Return the result of a call, which is the same as text and as data."""
        self.last = await self.client.call_tool(tool, arguments)
        result = self.last.structured_content
        (content,) = self.last.content
        assert isinstance(content, TextContent)
        assert isinstance(result, dict)
        assert result == json.loads(content.text)
        return result


@asynccontextmanager
async def assisting(http: httpx2.AsyncClient, **options: Any) -> AsyncIterator[Assistant]:
    """Connect an assistant to the service that `http` reaches."""
    async with Client(make_server(Toolbox(Service(ORIGIN, http)), "1"), **options) as client:
        yield Assistant(client)


@define
class Unreliable(httpx2.AsyncBaseTransport):
    """Passes requests on, and breaks the connection of some: before the service had them, or after it answered."""

    transport: httpx2.AsyncBaseTransport
    refuses: int = 0
    loses: int = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request, or lose it."""
        if self.refuses:
            self.refuses -= 1
            raise httpx2.ConnectError("refused")
        response = await self.transport.handle_async_request(request)
        if self.loses:
            self.loses -= 1
            await response.aread()
            raise httpx2.ReadError("broken")
        return response
