"""The OpenAPI document without a running service."""

import orjson

from adapters.http.app import Options, declared
from adapters.http.feed.feed import Feed
from adapters.http.openapi.document import document
from adapters.memory.store import MemoryStore
from adapters.serialization.entities import JsonSerializer
from domain.registry import ENTITY_TYPES
from entrypoints.wiring import dispatcher_of, now


def openapi() -> str:
    """Return the document, laid out for people."""
    store = MemoryStore(now, JsonSerializer(ENTITY_TYPES))
    paths = declared(store, b"", Options(), Feed(store), dispatcher_of(store, b""))
    return orjson.dumps(document(paths), option=orjson.OPT_INDENT_2).decode() + "\n"
