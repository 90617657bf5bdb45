"""The URL of a database: its own options, and error messages that quote no secret of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
from attrs import frozen

APPLICATION = "backroom"
"""The name of our sessions, by which others find them in pg_stat_activity."""

POOL_SIZE = 10
MAX_POOL_SIZE = 1_000
MAX_STATEMENTS = 10_000

_OPTIONS = (  # options of the driver; all others are settings of the server, which checks them
    *("host", "port", "user", "password", "passfile", "database", "dbname", "service", "target_session_attrs"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "krbsrvname", "gsslib"),
    *("pool_size", "statement_cache_size"),
)
_ENCODE = "in a user or a password, write : / ? # [ ] @ % as %3A %2F %3F %23 %5B %5D %40 %25"
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]{1,5})?")


class BadAddress(Exception):
    """The URL cannot be used; the message says why and quotes no secret."""


@frozen
class Address:
    """A parsed URL: the part for the driver, once for each host, and our own two options.

    `pool_size` is the most connections a process uses, beside the one on which it listens. `statements` is how many
    statements each connection keeps prepared; None leaves that to this program.
    """

    dsns: tuple[str, ...]
    pool_size: int
    statements: int | None


def read(url: str) -> Address:
    """Read a URL. Raises `BadAddress`."""
    if "#" in url:
        raise BadAddress(f"the URL has a # in it: {_ENCODE}")
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        raise BadAddress(f"the URL cannot be read: {_ENCODE}") from None
    if not all(_HOST.fullmatch(host) for host in parts.netloc.rpartition("@")[2].split(",")):
        raise BadAddress(f"the URL has a host that is none, or a port that is no number: {_ENCODE}")
    for name in options:
        _check_known(name)
    size = _whole(options, "pool_size", 1, MAX_POOL_SIZE)
    statements = _whole(options, "statement_cache_size", 0, MAX_STATEMENTS)
    defaults = {"target_session_attrs": "read-write", "application_name": APPLICATION}
    dsns = tuple(
        urlunsplit(parts._replace(netloc=netloc, query=urlencode({**defaults, **options, **host})))
        for netloc, host in _hosts(parts.netloc, options)
    )
    return Address(dsns, POOL_SIZE if size is None else size, statements)


def _hosts(netloc: str, options: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return the place for the host and the options for it, for each host; they may be named in either."""
    login, at, named = netloc.rpartition("@")
    if named:
        return [(f"{login}{at}{each}", {}) for each in named.split(",")]
    hosts, ports = options.get("host", "").split(","), options.get("port", "").split(",")
    if len(hosts) == 1:
        return [(netloc, {})]
    if len(ports) == 1:  # it is that of all
        return [(netloc, {"host": each}) for each in hosts]
    if len(ports) != len(hosts):
        raise BadAddress("the URL has another number of ports than of hosts")
    return [(netloc, {"host": host, "port": port}) for host, port in zip(hosts, ports, strict=True)]


@contextmanager
def reading() -> Iterator[None]:
    """Raise `BadAddress` for options of a URL that the driver or the server refuses."""
    try:
        yield
    except (asyncpg.UndefinedObjectError, asyncpg.CantChangeRuntimeParamError) as error:
        raise BadAddress(f"the URL has an option that PostgreSQL does not take: {error}") from None
    except asyncpg.InvalidParameterValueError as error:
        raise BadAddress(f"the URL has an option with a value that PostgreSQL does not take: {error}") from None
    except ValueError as error:
        named = next((name for name in _OPTIONS if name in str(error)), None)
        if named is None:
            raise BadAddress(f"the URL cannot be read: {_ENCODE}") from None
        raise BadAddress(f"the URL has an option {named} that cannot be used") from None


def _check_known(name: str) -> None:
    nearest = get_close_matches(name, _OPTIONS, 1, 0.8)
    if nearest and name not in _OPTIONS:
        raise BadAddress(f"the URL has an option {name}, which is none: did you mean {nearest[0]}?")


def _whole(options: dict[str, str], name: str, least: int, most: int) -> int | None:
    text = options.pop(name, None)
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise BadAddress(f"the option {name} of the URL must be a whole number from {least} to {most}")
    return int(text)
