"""Translation of SQLite's errors: to the domain's errors for callers, and to advice for the owner of the file."""

import errno
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import apsw

from adapters.sqlite.files import Misplaced
from domain.errors import StorageFull, Unavailable

_log = logging.getLogger("backroom")

_LIMITS = (errno.EDQUOT, errno.EFBIG)
"""What the system says when a user's quota or the largest size of his files is reached; SQLite takes it for a fault."""

# After these errors nothing that SQLite says about the file is reliable.
_BROKEN = (apsw.IOError, apsw.CorruptError, apsw.NotADBError)

LIMITED = "%s may not grow (%s): raise that limit of the user who runs backroom, and writing goes on by itself"

_GROWING = (apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_IOERR_SHMSIZE, apsw.SQLITE_IOERR_TRUNCATE)
_MAYBE_LIMITED = "; or the user who runs backroom has reached a quota, or the size that his files may have: raise it"
"""What a file that could not grow can also mean where the system's own number is not at hand."""

_CALLERS: dict[type[apsw.Error], str] = {
    apsw.BusyError: "another program holds the store's file right now",
    apsw.LockedError: "another program holds the store's file right now",
    apsw.CantOpenError: "the store's file cannot be opened right now",
    apsw.ReadOnlyError: "the store's file cannot be written right now",
    apsw.InterruptError: "this took too long and was given up; ask for less at once",
}


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Raise the domain's errors with a message for the owner of the file; used at the start and in commands."""
    try:
        yield
    except apsw.FullError as error:
        raise StorageFull from error
    except apsw.IOError as error:
        limit = _MAYBE_LIMITED if _extended(error) in _GROWING else ""
        raise Unavailable(explained(path, error) + limit) from None
    except (apsw.Error, OSError, Misplaced) as error:
        raise Unavailable(explained(path, error)) from None


def _extended(error: apsw.Error) -> int | None:
    return getattr(error, "extendedresult", None)  # only SQLite's own errors have one


def explained(path: Path, error: Exception) -> str:
    """Return a message: what is wrong with a file, and what its owner can do."""
    match error:
        case Misplaced():
            return str(error)
        case apsw.FullError():
            return f"there is no space left on the disk of {path}: free some, and writing goes on by itself"
        case apsw.CorruptError() | apsw.NotADBError():
            saved = path.with_name(f"saved-{path.name}")
            return (
                f"{path} is damaged ({error}): put a backup in its place, or save what can still be read with"
                f" sqlite3 {path} .recover | sqlite3 {saved}"
            )
        case apsw.BusyError() | apsw.LockedError():
            return f"another program holds {path} ({error}): end it, or wait until it is done"
        case apsw.IOError():
            return (
                f"the disk failed under {path} ({error}), so nothing more can be trusted to be stored: look into the"
                " system's log, and start again once the disk is well; all that was acknowledged is kept"
            )
    return hindrance(path) or f"{path} cannot be used ({error})"


def hindrance(path: Path) -> str | None:
    """Return what keeps this process from using a file, as far as it can tell."""
    user = f"the user {os.geteuid()}, who runs backroom,"
    if path.is_dir():
        return f"{path} is a folder: name a file in it, such as sqlite:///{path / 'backroom.db'}"
    near = next(each for each in path.parents if each.exists())
    if not near.is_dir():
        return f"{near} is a file, so there cannot be a {path}: name another place"
    if os.statvfs(near).f_flag & os.ST_RDONLY:
        return f"the file system of {path} is mounted read-only: mount it for writing, or name another place"
    if not os.access(near, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        return f"{user} cannot write to the folder {near}, where SQLite keeps three files: let him own it (chown)"
    for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        if each.exists() and not os.access(each, os.R_OK | os.W_OK, effective_ids=True):
            return f"{user} cannot read and write {each}: let him own it (chown)"
    return None


class Translating:
    """Raises the domain's errors in place of SQLite's. It guards every read, and a class costs the least.

    After the first failure of the disk, it logs that failure once and refuses everything. It does the same once the
    file is no longer in its place. A write that reaches a limit of its user's is no failure: the disk is full for him.
    """

    def __init__(
        self,
        path: Path,
        on_untrustworthy: Callable[[str], None],
        rescue: Callable[[], str] = lambda: "",
        last_errno: Callable[[], int] = lambda: 0,
    ) -> None:
        """`rescue` saves the data of a file that is no longer in its place, and returns a message about the result.

        `last_errno` returns what the system said of the last write that failed.
        """
        self._path = path
        self._last_errno = last_errno
        self._on_untrustworthy = on_untrustworthy
        self._rescue = rescue
        self._telling = Lock()
        self._failed = False

    def __enter__(self) -> None:
        if self._failed:
            raise Unavailable

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Misplaced):
            self._distrust(lambda: f"{error}; {self._rescue()}")
            raise Unavailable from error
        if not isinstance(error, apsw.Error):
            return
        if self._is_limited(error):
            _log.warning(LIMITED, self._path, os.strerror(self._last_errno()))
            raise StorageFull from error
        told = explained(self._path, error)
        if isinstance(error, _BROKEN):
            self._distrust(lambda: told)
            raise Unavailable from error
        if isinstance(error, apsw.FullError):
            _log.warning("%s", told)
            raise StorageFull from error
        for each, text in _CALLERS.items():
            if isinstance(error, each):
                if each is not apsw.InterruptError:
                    _log.warning("%s", told)
                raise Unavailable(text) from error

    def _is_limited(self, error: apsw.Error) -> bool:
        return _extended(error) == apsw.SQLITE_IOERR_WRITE and self._last_errno() in _LIMITS

    def _distrust(self, reason: Callable[[], str]) -> None:
        with self._telling:
            first, self._failed = not self._failed, True
        if first:
            self._on_untrustworthy(reason())
