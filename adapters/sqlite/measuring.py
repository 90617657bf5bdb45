"""Measuring a store: its log, its webhooks, and its files."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw

from adapters.sqlite.connections import fetch
from adapters.sqlite.table_mapping import moment
from domain.measurements import MOST_BACKLOGS, Backlog, Measurements

_LOG = "SELECT newest, (SELECT at FROM changes ORDER BY number LIMIT 1) FROM log"
_BACKLOGS = """
SELECT webhook, coalesce(enabled, 0), (SELECT newest FROM log) - positions.number,
  (SELECT at FROM changes WHERE changes.number > positions.number ORDER BY number LIMIT 1)
FROM positions LEFT JOIN webhooks ON id = webhook ORDER BY positions.number, webhook LIMIT ?
"""


def measure(connection: apsw.Connection, path: Path) -> Measurements:
    """Measure the snapshot of a connection, and the files."""
    newest, oldest = fetch(connection, _LOG)[0]
    real = path.resolve()  # for a symbolic link, the other files are beside its target
    return Measurements(
        newest=newest,
        oldest_at=None if oldest is None else moment(oldest),
        backlogs=tuple(_backlog(*row) for row in fetch(connection, _BACKLOGS, (MOST_BACKLOGS,))),
        size=_size(real),
        wal=_size(real.with_name(f"{real.name}-wal")),
        free=_free(real.parent),
    )


def _backlog(webhook: int, enabled: Any, changes: int, since: int | None) -> Backlog:
    first = None if since is None else moment(since)
    return Backlog(webhook=webhook, enabled=bool(enabled), changes=changes, since=first)


def _size(path: Path) -> int:
    with suppress(OSError):  # a log that was never written to has no file
        return path.stat().st_size
    return 0


def _free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
