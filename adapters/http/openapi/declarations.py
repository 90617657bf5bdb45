"""What an operation declares. Routing, validation and the OpenAPI document all come from here."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from attrs import Factory, frozen
from starlette.types import ASGIApp

from adapters.http.requests.request import Request
from adapters.http.responses.caching import NEVER, PRIVATE, PUBLIC
from domain.access.scopes import AccessScope

Handler = Callable[[Request], Awaitable[ASGIApp]]
Schema = Mapping[str, Any]
"""A schema in the dialect of OpenAPI 3.1, JSON Schema 2020-12."""


@frozen(kw_only=True)
class Parameter:
    """A parameter of the query, the path or a header."""

    name: str
    location: str  # query, path or header
    schema: Schema
    description: str = ""
    example: Any = None


@frozen(kw_only=True)
class Reply:
    """One successful response of an operation."""

    description: str
    schema: Schema | None = None
    media_type: str = "application/json"
    example: Any = None  # such a body, or a function that returns one
    also: Mapping[str, str] = Factory(dict)  # the text formats that the client may choose, each with its example
    headers: tuple[str, ...] = ()


@frozen(kw_only=True)
class Operation:
    """One method of a path."""

    name: str
    summary: str
    scope: AccessScope | None
    """The scope that a caller needs; None where everyone may call."""
    handler: Handler
    replies: Mapping[int, Reply]
    parameters: tuple[Parameter, ...] = ()
    takes: Schema | None = None  # the schema of the body, if the operation has one
    example: Any = None  # such a body
    body_types: tuple[str, ...] = ("application/json",)
    problems: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    caching: bytes = NEVER  # the cache policy of its responses
    is_point_read: bool = False  # cheap, and changes nothing, so it may run before its caller is admitted

    @property
    def is_revalidated(self) -> bool:
        """Tell whether a client may keep a response and revalidate it by its etag."""
        return self.caching in (PRIVATE, PUBLIC)


@frozen(kw_only=True)
class Path:
    """A path with all of its operations by method."""

    template: str
    operations: Mapping[str, Operation] = Factory(dict)
    schemas: Mapping[str, Schema] = Factory(dict)
    """Components that its operations refer to, by name. Generators make a type of each."""
