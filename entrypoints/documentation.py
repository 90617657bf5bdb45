"""The OpenAPI document without a running service."""

import orjson

from adapters.http.app import Options, declared
from adapters.http.feed import Feed
from adapters.http.openapi import document
from adapters.http.wire import JsonDocuments
from adapters.memory.store import MemoryStore
from entrypoints.wiring import deliverer_of, now


def openapi() -> str:
    """Return the document, laid out for people."""
    store = MemoryStore(now, JsonDocuments())
    paths = declared(store, b"", Options(), Feed(store), deliverer_of(store, b""))
    return orjson.dumps(document(paths), option=orjson.OPT_INDENT_2).decode() + "\n"
