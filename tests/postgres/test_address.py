"""The URL of a database, and the errors for unusable ones."""

import pytest

from adapters.postgres.address import Address, BadAddress, read
from adapters.postgres.errors import Unsuitable
from domain.errors import Unavailable
from tests.databases import Databases, open_store

pytestmark = pytest.mark.anyio

WRITES = "target_session_attrs=read-write&application_name=backroom"
ENCODE = "in a user or a password, write : / ? # [ ] @ % as %3A %2F %3F %23 %5B %5D %40 %25"


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        (Address((f"postgresql://u:p@h/d?{WRITES}",), 10, None), "postgresql://u:p@h/d"),
        (
            Address((f"postgresql://u:p@a:1/d?{WRITES}", f"postgresql://u:p@b/d?{WRITES}"), 3, 0),
            "postgresql://u:p@a:1,b/d?pool_size=3&statement_cache_size=0",
        ),
        (
            Address((f"postgresql:/d?{WRITES}&host=a&port=1", f"postgresql:/d?{WRITES}&host=b&port=1"), 10, None),
            "postgresql:///d?host=a,b&port=1",
        ),
        (
            Address((f"postgresql:/d?{WRITES}&host=a&port=1", f"postgresql:/d?{WRITES}&host=b&port=2"), 10, None),
            "postgresql:///d?host=a,b&port=1,2",
        ),
        (
            Address(("postgresql://h/d?target_session_attrs=any&application_name=backroom",), 10, 7),
            "postgresql://h/d?target_session_attrs=any&statement_cache_size=7",
        ),
        (
            Address((f"postgresql://[::1]:5432/d?{WRITES}&work_mem=8MB",), 10, None),
            "postgresql://[::1]:5432/d?work_mem=8MB",
        ),
        (Address((f"postgresql://u:a%23b@h/d?{WRITES}",), 10, None), "postgresql://u:a%23b@h/d"),
    ],
)
def test_what_a_url_says(expected: Address, url: str) -> None:
    """The program's own options are removed, and all others are passed on."""
    assert expected == read(url)


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        (f"the URL has a # in it: {ENCODE}", "postgresql://u:hush#hush@h/d"),
        (f"the URL has a host that is none, or a port that is no number: {ENCODE}", "postgresql://u:hush/hush@h/d"),
        (f"the URL has a host that is none, or a port that is no number: {ENCODE}", "postgresql://u:hush?hush@h/d"),
        (f"the URL cannot be read: {ENCODE}", "postgresql://u:hush[hush@h/d"),
        ("the option pool_size of the URL must be a whole number from 1 to 1000", "postgresql://h/d?pool_size=hush"),
        ("the option pool_size of the URL must be a whole number from 1 to 1000", "postgresql://h/d?pool_size=0"),
        (
            "the option statement_cache_size of the URL must be a whole number from 0 to 10000",
            "postgresql://h/d?statement_cache_size=-1",
        ),
        ("the URL has another number of ports than of hosts", "postgresql:///d?host=a,b&port=1,2,3"),
        ("the URL has an option poolsize, which is none: did you mean pool_size?", "postgresql://h/d?poolsize=3"),
        ("the URL has an option ssl_mode, which is none: did you mean sslmode?", "postgresql://h/d?ssl_mode=require"),
    ],
)
def test_what_cannot_be_read(expected: str, url: str) -> None:
    """The error says what is wrong and how to write it, and quotes no secret."""
    with pytest.raises(BadAddress) as raised:
        read(url)
    assert expected == str(raised.value)


OPTION = "the URL has an option that PostgreSQL does not take"
VALUE = "the URL has an option with a value that PostgreSQL does not take"


@pytest.mark.parametrize(
    ("error", "expected", "before", "after"),
    [
        (BadAddress, f'{OPTION}: unrecognized configuration parameter "colour"', "?", "?colour=red&"),
        (BadAddress, f'{VALUE}: invalid value for parameter "work_mem": "red"', "?", "?work_mem=red&"),
        (BadAddress, "the URL has an option sslmode that cannot be used", "?", "?sslmode=hush&"),
        (Unsuitable, 'database "no" does not exist: create it, or correct its name in the URL', "/postgres?", "/no?"),
        (
            Unsuitable,
            r'PostgreSQL refuses the user \(role "no" does not exist\): correct user and password',
            "user=postgres",
            "user=no",
        ),
        (
            Unavailable,
            r"PostgreSQL cannot be reached \(.*\): start it, or correct host and port in the URL",
            "host=",
            "host=/nowhere",
        ),
    ],
)
async def test_what_cannot_be_used(
    postgres: Databases, error: type[Exception], expected: str, before: str, after: str
) -> None:
    """One sentence says what is wrong, where, and what to do."""
    with pytest.raises(error, match=f"^{expected}$"):
        await open_store(postgres.server.dsn().replace(before, after))
