"""The load of callers with keys and cookies."""

from itertools import islice

from tests.benchmarks import scripts
from tests.benchmarks.access import showing


def test_every_request_shows_it() -> None:
    """Each request of a script gets one more header, and is otherwise unchanged."""
    plain, keyed = scripts.repeat("/tasks"), showing(lambda _: scripts.repeat("/tasks"), "Cookie: a=b")(1)
    for one, other in zip(islice(plain, 2), (next(keyed), keyed.send(b"")), strict=True):
        assert one.replace(b"\r\nHost", b"\r\nCookie: a=b\r\nHost") == other
