"""Examining a file: what there is in it and around it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from adapters.sqlite.access_keys import KEYS, key_of
from adapters.sqlite.connections import check_schema, close_reader, existing, fetch
from adapters.sqlite.errors import explaining, hindrance
from adapters.sqlite.files import check_rescued
from adapters.sqlite.home import copied_from
from adapters.sqlite.log import open_log
from adapters.sqlite.measuring import measure
from adapters.sqlite.table_mapping import moment
from domain.entity_type import EntityType
from domain.status import StoreStatus

_DISABLED = """
SELECT id, document ->> 'disabled_reason' FROM webhooks WHERE document ->> 'disabled_reason' IS NOT NULL ORDER BY id
"""


def examine(path: Path, *, entity_types: Sequence[EntityType[Any]]) -> StoreStatus:
    """Examine a file, at one moment; change nothing.

    Raises `NotAStore` (also for a missing file), `SchemaTooOld`, `SchemaTooNew` and `Unavailable`.
    """
    with explaining(path):
        check_rescued(path)
        connection = existing(path)
        try:
            connection.execute("BEGIN")
            check_schema(connection)
            return _status(connection, path, entity_types)
        finally:
            close_reader(connection)


def _status(connection: apsw.Connection, path: Path, entity_types: Sequence[EntityType[Any]]) -> StoreStatus:
    (name, newest, forgotten), *_ = fetch(connection, "SELECT name, newest, forgotten FROM log")
    newest_at = [moment(at) for (at,) in fetch(connection, "SELECT at FROM changes ORDER BY number DESC LIMIT 1")]
    now = datetime.now(UTC)
    keys = [key_of(row) for row in fetch(connection, KEYS)]
    return StoreStatus(
        schema=str(fetch(connection, "PRAGMA user_version")[0][0]),
        log=name,
        former_logs=len(open_log(connection, entity_types).cursor_codec.former),
        entities={
            each.collection: fetch(connection, f"SELECT count(*) FROM {each.collection}")[0][0] for each in entity_types
        },
        changes=newest - forgotten,
        newest_change=newest_at[0] if newest_at else None,
        keys=sum(each.is_valid(now) for each in keys),
        disabled=dict(fetch(connection, _DISABLED)),
        measurements=measure(connection, path),
        versions={"SQLite": apsw.sqlite_lib_version()},
        now=None,
        hints=tuple(each for each in (copied_from(connection, path), hindrance(path)) if each is not None),
    )
