"""Checking what a file has beside rows: pages, tables, columns, indexes, and the search index."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import apsw

from adapters.sqlite.connections import fetch, migrate
from adapters.sqlite.search_index import check_search_index
from adapters.sqlite.table_mapping import TableMapping
from adapters.sqlite.write_ahead_log import check_write_ahead_log
from domain.inspection.findings import MOST_SHOWN, Finding, Kind

READ_AT_ONCE = 1024 * 1024

Check = Callable[[], Iterator[Finding]]

_SAID_OF_INDEXES = ("missing from index", "in index", "entry in index")
_SCHEMA = (
    "SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL"
)
_REVISIONS = """
SELECT kind, revision, (SELECT max(number) FROM changes WHERE changes.kind = collections.kind) FROM collections
"""


def checks(connection: apsw.Connection, path: Path, mappings: Iterable[TableMapping]) -> Iterator[Check]:
    """Yield the checks in their order; each may take long."""
    yield lambda: check_write_ahead_log(path)
    yield lambda: _guarded("the file", lambda: _pages(connection, path))
    yield lambda: _guarded("the schema", lambda: _schema(connection))
    yield lambda: _guarded("table collections", lambda: _revisions(connection))
    for each in mappings:
        yield lambda each=each: _guarded(f"table {each.table}_search", lambda: check_search_index(connection, each))  # type: ignore[misc]


def _guarded(where: str, check: Check) -> Iterator[Finding]:
    """Yield what a check finds, and that it cannot go on where SQLite cannot."""
    try:
        yield from check()
    except apsw.InterruptError:
        raise
    except (apsw.Error, UnicodeDecodeError) as error:
        yield Finding(Kind.PAGE, where, f"cannot be checked any further: {error}")


def _pages(connection: apsw.Connection, path: Path) -> Iterator[Finding]:
    """Let SQLite check its pages, its records, and each index against its table."""
    _read_ahead(path)
    for (text,) in connection.execute(f"PRAGMA integrity_check({MOST_SHOWN})"):
        for line in text.splitlines():
            if line != "ok" and not line.startswith("*** in database"):
                yield _of_sqlite(line)


def _of_sqlite(text: str) -> Finding:
    if "FTS5" in text:
        return Finding(Kind.SEARCH_INDEX, "SQLite", f"says: {text}")
    is_index = any(each in text for each in _SAID_OF_INDEXES)
    return Finding(Kind.INDEX if is_index else Kind.PAGE, "SQLite", f"says: {text}")


def _read_ahead(path: Path) -> None:
    """Read the file once, so that the system has it in memory: from a disk, pages in no order take very long."""
    with path.open("rb", buffering=0) as file:
        while file.read(READ_AT_ONCE):
            pass


def _schema(connection: apsw.Connection) -> Iterator[Finding]:
    """Compare the schema with the one that the migrations make. What is there besides is the owner's own matter."""
    new = apsw.Connection(":memory:")
    migrate(new)
    there = {name: sql for _, name, _, sql in fetch(connection, _SCHEMA)}
    for type, name, table, sql in fetch(new, _SCHEMA):
        if name not in there:
            kind = Kind.INDEX if type == "index" else Kind.SCHEMA
            yield Finding(kind, f"{type} {name}", "is missing" if type == "table" else f"of table {table} is missing")
        elif type == "index" and there[name] != sql:
            yield Finding(Kind.INDEX, f"index {name}", f"is {there[name]}, and should be {sql}")
        elif type == "table":
            missing = _columns(new, name) - _columns(connection, name)
            for column in sorted(missing):
                yield Finding(Kind.SCHEMA, f"table {name}", f"has no column {' '.join(column)}")
    new.close()


def _columns(connection: apsw.Connection, table: str) -> set[tuple[str, ...]]:
    return set(fetch(connection, "SELECT name, type FROM pragma_table_xinfo(?, 'main')", (table,)))


def _revisions(connection: apsw.Connection) -> Iterator[Finding]:
    """Check the number of the newest change of each type, which the tags of lists are made of."""
    forgotten: Any = fetch(connection, "SELECT max(forgotten) FROM log")[0][0]
    for kind, revision, newest in fetch(connection, _REVISIONS):
        if revision != newest if newest is not None else revision > (forgotten or 0):
            last = f"is {newest}" if newest is not None else f"was purged, as those up to {forgotten} were"
            yield Finding(
                Kind.LOG, f"table collections, {kind}", f"has the revision {revision}, and its last change {last}"
            )
