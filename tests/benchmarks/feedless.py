"""The service without its feed: a write notifies nobody, and nobody delivers.

The log is still written, because history and restore read it.
"""

import asyncio
import sys
from typing import Any

from adapters.sqlite.store import SqliteStore
from adapters.webhooks.dispatcher import Dispatcher
from entrypoints.cli import main


def notify(store: SqliteStore) -> None:
    """Notify nobody."""


async def run(dispatcher: Dispatcher) -> None:
    """Deliver nothing."""
    await asyncio.Event().wait()


cut: dict[type, Any] = {SqliteStore: {"_notify": notify}, Dispatcher: {"run": run, "has_readers": False}}
for owner, members in cut.items():
    for name, member in members.items():
        assert hasattr(owner, name)
        setattr(owner, name, member)

if __name__ == "__main__":
    sys.exit(main())
