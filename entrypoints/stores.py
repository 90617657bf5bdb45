"""The choice of stores: what commands and the service open at a URL."""

import os
from collections.abc import AsyncIterator, Callable, Set
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from adapters.serialization.entities import JsonSerializer
from adapters.serialization.outcomes import check_outcome
from adapters.sqlite.home import give_new_name as give_new_name_to_file
from adapters.sqlite.store import SqliteStore
from domain.inspection.ports import Inspection
from domain.measurements import GroupObserver, WaitObserver, unnoticed, unobserved
from domain.ports import Store
from domain.registry import ENTITY_TYPES
from domain.snapshot import Import, Snapshot
from domain.status import StoreStatus
from domain.use_cases.move import Report
from domain.use_cases.verify import Verified, verify
from entrypoints.diagnostics import LOG
from entrypoints.store_location import file_of
from entrypoints.workers import UNTRUSTWORTHY


async def verified(url: str, report: Report) -> Verified:
    """Verify the store of a URL, as it is at this moment."""
    async with inspecting(url) as inspection:
        return await verify(
            inspection, serializer=JsonSerializer(ENTITY_TYPES), read_outcome=check_outcome, report=report
        )


async def opened(
    url: str,
    *,
    on_untrustworthy: Callable[[str], None] | None = None,
    on_group: GroupObserver = unobserved,
    on_wait: WaitObserver = unnoticed,
) -> Store:
    """Open the store of a URL. `on_group` is told of each group commit, `on_wait` of each wait for others.

    `on_untrustworthy` gets the reason for which the store can no longer be relied on; by default the process ends.
    """
    on_untrustworthy = on_untrustworthy or stop_at_once
    documents = JsonSerializer(ENTITY_TYPES)
    if url == "memory://":
        from adapters.memory.store import MemoryStore  # noqa: PLC0415 - a service imports what its own store needs

        return MemoryStore(now, documents)
    if url.startswith("postgres"):
        from adapters.postgres.store import PostgresStore  # noqa: PLC0415 - as above

        return await PostgresStore.open(
            url,
            entity_types=ENTITY_TYPES,
            documents=documents,
            clock=now,
            on_untrustworthy=on_untrustworthy,
            on_group=on_group,
            on_wait=on_wait,
        )
    return SqliteStore(
        _path(url),
        entity_types=ENTITY_TYPES,
        documents=documents,
        clock=now,
        on_untrustworthy=on_untrustworthy,
        on_group=on_group,
        on_wait=on_wait,
    )


@asynccontextmanager
async def exporting(url: str) -> AsyncIterator[Snapshot]:
    """Open an export of the store of a URL, as it is at this moment."""
    if url.startswith("postgres"):
        from adapters.postgres import exporting as postgres  # noqa: PLC0415 - as above

        async with postgres.exporting(url, entity_types=ENTITY_TYPES) as export:
            yield export
    else:
        from adapters.sqlite import exporting as sqlite  # noqa: PLC0415 - as above

        async with sqlite.exporting(_path(url), entity_types=ENTITY_TYPES) as file:
            yield file


@asynccontextmanager
async def inspecting(url: str) -> AsyncIterator[Inspection]:
    """Open an inspection of the store of a URL, as it is at this moment."""
    if url.startswith("postgres"):
        from adapters.postgres import inspecting as postgres  # noqa: PLC0415 - as above

        async with postgres.inspecting(url, entity_types=ENTITY_TYPES) as database:
            yield database
    else:
        from adapters.sqlite import inspecting as sqlite  # noqa: PLC0415 - as above

        async with sqlite.inspecting(_path(url), entity_types=ENTITY_TYPES) as file:
            yield file


async def examined(url: str) -> StoreStatus:
    """Return the status of the store of a URL."""
    if url.startswith("postgres"):
        from adapters.postgres.examining import examine  # noqa: PLC0415 - as above

        return await examine(url, entity_types=ENTITY_TYPES)
    from adapters.sqlite import examining as sqlite  # noqa: PLC0415 - as above

    return sqlite.examine(_path(url), entity_types=ENTITY_TYPES)


async def renamed(url: str) -> str:
    """Give the log of the store of a URL a new name, and return it."""
    if url.startswith("postgres"):
        from adapters.postgres.migrating import give_new_name  # noqa: PLC0415 - as above

        return await give_new_name(url)
    return await give_new_name_to_file(_path(url))


@asynccontextmanager
async def importing(url: str, source_logs: Set[str] = frozenset()) -> AsyncIterator[Import]:
    """Open an import into the store of a URL, which must be empty. The source's log has these names."""
    documents = JsonSerializer(ENTITY_TYPES)
    if url.startswith("postgres"):
        from adapters.postgres import importing as postgres  # noqa: PLC0415 - as above

        async with postgres.importing(
            url, entity_types=ENTITY_TYPES, documents=documents, source_logs=source_logs
        ) as importer:
            yield importer
    else:
        from adapters.sqlite import importing as sqlite  # noqa: PLC0415 - as above

        async with sqlite.importing(
            _path(url), entity_types=ENTITY_TYPES, documents=documents, source_logs=source_logs
        ) as file:
            yield file


def _path(url: str) -> Path:
    path = file_of(url)
    assert path is not None, "every other store was told apart before"
    return path


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def stop_at_once(reason: str) -> None:
    """End the process without another answer, because no answer about its data would be reliable."""
    LOG.critical("%s; stopping", reason)
    os._exit(UNTRUSTWORTHY)
