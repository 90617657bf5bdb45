"""Translation of the driver's errors to the domain's: by class, which follows the SQLSTATE, never by message."""

import asyncpg
import pytest
from asyncpg import exceptions

from adapters.postgres.errors import Conflict, conflicting, translated
from domain.errors import DomainError, StorageFull, Unavailable

UNAVAILABLE = {
    "08000": "connection exception",
    "08003": "connection does not exist",
    "08006": "connection failure",
    "08P01": "protocol violation",
    "25006": "read-only transaction",
    "25P03": "idle in transaction timeout",
    "40001": "serialization failure",
    "40P01": "deadlock",
    "53000": "insufficient resources",
    "53200": "out of memory",
    "53300": "too many connections",
    "55P03": "lock not available",
    "57014": "query cancelled",
    "57P01": "admin shutdown",
    "57P02": "crash shutdown",
    "57P03": "cannot connect now",
    "57P05": "idle session timeout",
    "58000": "system error",
    "58030": "input or output error",
}

OURS = {
    "22P05": "untranslatable character",
    "23502": "not null violation",
    "23505": "unique violation",
    "28P01": "wrong password",
    "3D000": "no such database",
    "42501": "not allowed",
    "42601": "syntax error",
    "42P01": "no such table",
}


def error_of(sqlstate: str, **details: str) -> Exception:
    """Return the driver's error for an SQLSTATE."""
    fields = {"S": "ERROR", "C": sqlstate, "M": "whatever the server's language is", **details}
    error: Exception = asyncpg.PostgresError.new(fields)
    return error


def heard(error: Exception) -> type[Exception]:
    """Return the translation of an error."""
    with pytest.raises((DomainError, type(error))) as raised, translated():
        raise error
    assert error in (raised.value, raised.value.__cause__)
    return raised.type


@pytest.mark.parametrize("sqlstate", UNAVAILABLE, ids=UNAVAILABLE.values())
def test_unavailable(sqlstate: str) -> None:
    """An unreachable, full or read-only server is `Unavailable`."""
    assert Unavailable is heard(error_of(sqlstate))


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        ConnectionResetError(),
        OSError("no route to host"),
        TimeoutError(),
        exceptions.ConnectionDoesNotExistError("gone"),
        exceptions.InterfaceError("the connection is closed"),
        exceptions.TargetServerAttributeNotMatched("all are standbys"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_unavailable_without_an_answer(error: Exception) -> None:
    """Errors of the network, the operating system and the driver are `Unavailable`."""
    assert Unavailable is heard(error)


def test_storage_full() -> None:
    """A full disk is `StorageFull`, not `Unavailable`."""
    assert StorageFull is heard(error_of("53100"))


@pytest.mark.parametrize("sqlstate", OURS, ids=OURS.values())
def test_our_own_mistakes(sqlstate: str) -> None:
    """Mistakes of the program or the operator stay untranslated, so that they are seen."""
    error = error_of(sqlstate)
    assert type(error) is heard(error)


@pytest.mark.parametrize("error", [exceptions.DataError("not an int"), ValueError("x")], ids=["driver", "python"])
def test_our_own_mistakes_without_an_answer(error: Exception) -> None:
    """Mistakes that never reached the server stay untranslated, too."""
    assert type(error) is heard(error)


@pytest.mark.parametrize(
    ("sqlstate", "constraint", "is_conflict"),
    [
        ("40001", "", True),
        ("40P01", "", True),
        ("55P03", "", True),
        ("23505", "taken", True),
        ("23503", "taken", True),
        ("23505", "another", False),
        ("23502", "", False),
    ],
)
def test_conflicts(sqlstate: str, constraint: str, is_conflict: bool) -> None:
    """Conflicts in the database, and violations of the constraints that guard against races, raise `Conflict`."""
    error = error_of(sqlstate, n=constraint)
    with pytest.raises(Conflict if is_conflict else type(error)), conflicting(frozenset({"taken"})):
        raise error
