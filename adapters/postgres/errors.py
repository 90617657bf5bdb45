"""Translation of PostgreSQL's errors: to the domain's errors for callers, and to advice for the owner."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from socket import gaierror

import asyncpg

from domain.errors import StorageFull, Unavailable

_log = logging.getLogger("backroom")

# After these errors the connection or its server accepts no more writes. The pool's other connections are probably
# lost, too.
LOST = (
    OSError,  # also a timeout
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutdown, crash, starting up, cancelled
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,  # demoted to a standby
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,  # no host accepts writes, or the server sent nonsense
    asyncpg.InterfaceError,  # the connection is closed
)
_BUSY = (
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # a deadlock, or a serialization failure
    asyncpg.LockNotAvailableError,
)
MISTAKES = (asyncpg.DataError, asyncpg.exceptions.UnsupportedClientFeatureError)  # ours, though `LOST` covers them

_REFUSALS = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)

_EXPLAINED: tuple[tuple[type[BaseException], str], ...] = (
    (gaierror, "the host of the database cannot be found ({}): correct it in the URL"),
    (asyncio.TimeoutError, "PostgreSQL did not answer in time: see whether it runs, and how much it has to do"),
    (OSError, "PostgreSQL cannot be reached ({}): start it, or correct host and port in the URL"),
    (asyncpg.TargetServerAttributeNotMatched, "none of the servers in the URL accepts writes: promote one ({})"),
    (asyncpg.ReadOnlySQLTransactionError, "the database accepts no writes: promote the server, or let it ({})"),
    (
        asyncpg.TooManyConnectionsError,
        "PostgreSQL has no connection left ({}): see max_connections and pool_size",
    ),
    (asyncpg.InvalidAuthorizationSpecificationError, "PostgreSQL refuses the user ({}): correct user and password"),
    (asyncpg.InvalidCatalogNameError, "{}: create it, or correct its name in the URL"),
    (asyncpg.LockNotAvailableError, "somebody uses what is needed ({}): let him finish, or end him"),
    (asyncpg.InsufficientPrivilegeError, "the user lacks a right ({}): let the owner of the database grant it"),
    (
        asyncpg.DiskFullError,
        "there is no space left on the disk of PostgreSQL ({}): free some",
    ),
)


class Unsuitable(Exception):
    """The database lacks what this program needs."""


class Conflict(Exception):
    """Another writer was faster; the batch must be decided again."""


@contextmanager
def translated(*, tell: bool = False) -> Iterator[None]:
    """Raise the domain's errors for PostgreSQL's, by class (that is, by SQLSTATE), never by message.

    With `tell`, log the details for the owner; callers do not get them.
    """
    try:
        yield
    except MISTAKES:
        raise
    except asyncpg.DiskFullError as error:
        if tell:
            _log.warning("%s", explained(error))
        raise StorageFull from error
    except (*LOST, *_BUSY) as error:
        if tell:
            _log.warning("%s", explained(error))
        raise Unavailable from error


@contextmanager
def explaining() -> Iterator[None]:
    """Raise the domain's errors with a message for the owner of the database; used at the start and in commands."""
    try:
        with translated():
            yield
    except Unavailable as error:
        if (cause := error.__cause__) is None:
            raise
        raise Unavailable(explained(cause)) from cause
    except (*_REFUSALS, asyncpg.InsufficientPrivilegeError) as error:
        raise Unsuitable(explained(error)) from None


@contextmanager
def conflicting(taken: frozenset[str]) -> Iterator[None]:
    """Raise `Conflict` for a conflict in the database, or a violation of a constraint in `taken`."""
    try:
        yield
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError) as error:
        raise Conflict from error
    except asyncpg.IntegrityConstraintViolationError as error:
        if error.constraint_name not in taken:
            raise
        raise Conflict from error


def explained(error: BaseException) -> str:
    """Return a message: what is wrong with the database, and what its owner can do."""
    text = str(error) or type(error).__name__
    otherwise = "PostgreSQL cannot be used right now ({})"
    return next((said for each, said in _EXPLAINED if isinstance(error, each)), otherwise).format(text)
