"""The OpenAPI document without a running service."""

import orjson

from adapters.http.admission.gate import Gate
from adapters.http.app import Options, declared
from adapters.http.feed.feed import Feed
from adapters.http.handlers.metrics import Metrics
from adapters.http.openapi.document import document
from adapters.memory.store import MemoryStore
from adapters.serialization.entities import JsonSerializer
from adapters.shared_memory.rate_limits import SharedRateLimiter
from domain.registry import ENTITY_TYPES
from entrypoints.stores import now
from entrypoints.wiring import dispatcher_of


def openapi() -> str:
    """Return the document, laid out for people."""
    store = MemoryStore(now, JsonSerializer(ENTITY_TYPES))
    gate = Gate(store.access_keys, SharedRateLimiter(buckets=1))
    dispatcher, metrics = dispatcher_of(store, b""), Metrics(_nothing)
    paths = declared(store, b"", Options(), Feed(store), dispatcher=dispatcher, gate=gate, metrics=metrics)
    return orjson.dumps(document(paths), option=orjson.OPT_INDENT_2).decode() + "\n"


async def _nothing(media_type: str) -> tuple[bytes, str]:
    return b"", media_type
