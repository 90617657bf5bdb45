"""The OpenAPI document without a running service."""

import orjson

from backroom.adapters.http.app import Options, declared
from backroom.adapters.http.feed import Feed
from backroom.adapters.http.openapi import document
from backroom.adapters.http.wire import JsonDocuments
from backroom.adapters.memory.store import MemoryStore
from backroom.entrypoints.wiring import deliverer_of, now


def openapi() -> str:
    """Return the document, laid out for people."""
    store = MemoryStore(now, JsonDocuments())
    paths = declared(store, b"", Options(), Feed(store), deliverer_of(store, b""))
    return orjson.dumps(document(paths), option=orjson.OPT_INDENT_2).decode() + "\n"
