"""A store that notes how long its answers took."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, cast

from adapters.http.timing.stopwatch import Phase, timed
from domain.ports import Store

TIMED = ("get", "page", "submit", "read", "history", "head", "oldest", "ping")
"""The methods for which a request waits, but not those that wait for changes."""


def timed_store(store: Store) -> Store:
    """Return a store that notes the time of each answer, and is the same otherwise."""
    return cast("Store", _TimedStore(store))


class _TimedStore:
    def __init__(self, store: Store) -> None:
        self._store = store
        for name in TIMED:
            setattr(self, name, _timed(getattr(store, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _timed(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(call)
    async def timed_call(*args: Any, **more: Any) -> Any:
        with timed(Phase.STORE):
            return await call(*args, **more)

    return timed_call
