"""The home of a log: a copy of a file has the same name for its log, and then one cursor could mean two things.

The home is the path of the file and the machine. Nothing else lasts: a container has another host name with each start,
and a file that was put back has another inode. A file that is gone from its old path was moved; it is no copy.
"""

import logging
import secrets
from hashlib import sha256
from pathlib import Path

import apsw

from adapters.sqlite.connections import (
    check_existing,
    check_schema,
    close_reader,
    connect_alone,
    existing,
    fetch,
)
from adapters.sqlite.errors import explaining
from adapters.sqlite.log import LOG_NAMES

NAME_BYTES = 8
COPY = (
    "%s is a copy of %s, with the same name of the log: run backroom doctor --new-log on it, or one cursor will mean"
    " two things"
)
ELSEWHERE = (
    "%s was last in use on another machine; if it still is in use there, run backroom doctor --new-log here, or one"
    " cursor will mean two things"
)

_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_MOVE_ON = """
INSERT INTO former_logs (name, newest) SELECT name, newest FROM log;
UPDATE log SET name = ?;
DELETE FROM home;
"""

_log = logging.getLogger("backroom")


def settle(connection: apsw.Connection, path: Path) -> None:
    """Note that a log lives here now. Warn if it may be the copy of one that lives elsewhere.

    While the original is there, every start warns, and the copy keeps the home of the original.
    """
    known, here = _home(connection), (str(path.resolve()), _machine())
    if known == here:
        return
    if (original := copied_from(connection, path)) is not None:
        _log.warning("%s", original)
        return
    if known is not None and known[1] and here[1] and known[1] != here[1]:
        _log.warning(ELSEWHERE, path)
    with connection:
        connection.execute("DELETE FROM home")
        connection.execute("INSERT INTO home VALUES (?, ?)", here)


def copied_from(connection: apsw.Connection, path: Path) -> str | None:
    """Return that a file is a copy, and of which other, if that is still where it was."""
    known = _home(connection)
    if known is None or known[0] == str(path.resolve()):
        return None
    original = Path(known[0])
    name = fetch(connection, "SELECT name FROM log")[0][0]
    if name not in _names(original) or original.samefile(path):
        return None
    return COPY % (path, original)


async def give_new_name(path: Path) -> str:
    """Give the log of a file a new name, and return it. Cursors hold up to its newest change, and no further.

    Raises `InUse` while anybody has the file open, because he would not know the new name. Raises `NotAStore`,
    `SchemaTooOld`, `SchemaTooNew`, `StorageFull` and `Unavailable`.
    """
    name = secrets.token_hex(NAME_BYTES)
    with explaining(path):
        check_existing(path)
        connection = await connect_alone(path, check_schema)
        try:
            with connection:
                connection.execute(_MOVE_ON, (name,))
        finally:
            connection.close()
    return name


def _home(connection: apsw.Connection) -> tuple[str, str] | None:
    found = fetch(connection, "SELECT path, machine FROM home")
    return None if not found else (found[0][0], found[0][1])


def _names(path: Path) -> set[str]:
    """Return the names of the log of another file, also the former ones; none if that cannot be read."""
    try:
        connection = existing(path)
    except Exception:  # noqa: BLE001 - whatever is there, it is not the original
        return set()
    try:
        return {name for (name,) in fetch(connection, LOG_NAMES)}
    except apsw.Error:
        return set()
    finally:
        close_reader(connection)


def _machine() -> str:
    """Return a hash of the machine's id, which must not be told to others; empty if it has none."""
    for each in _MACHINE_IDS:
        try:
            text = each.read_text().strip()
        except OSError:
            continue
        if text:
            return sha256(f"backroom {text}".encode()).hexdigest()[:16]
    return ""
