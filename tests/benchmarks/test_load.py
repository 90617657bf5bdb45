"""The load sends, receives and counts what its scripts say, so its figures mean what they say."""

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from time import sleep

import pytest

from tests.benchmarks import scripts
from tests.benchmarks.load import HOST, LoadError, Script, measure, size_of

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Handler(BaseRequestHandler):
    """Responds to each request with the server's pieces, one after the other."""

    pieces: tuple[bytes, ...]

    def handle(self) -> None:
        """Respond until the client disconnects. Without pieces, disconnect at once."""
        while self.pieces and self.request.recv(65536):
            for piece in self.pieces:
                self.request.sendall(piece)
                sleep(0.001)  # so that the pieces do not arrive as one


@contextmanager
def server(*pieces: bytes) -> Iterator[int]:
    """A server that responds to any request with the same pieces. Yields its port."""
    with ThreadingTCPServer((HOST, 0), type("Pieces", (Handler,), {"pieces": pieces})) as listening:
        Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield listening.server_address[1]
        finally:
            listening.shutdown()


def noting(answers: list[bytes], times: int) -> Script:
    """Send a request several times, and record the responses."""
    for _ in range(times):
        answer = yield scripts.request("GET", "/")
        answers.append(answer)


@pytest.mark.parametrize("pieces", [(OK,), (OK[:9], OK[9:]), (OK[:-7], OK[-7:]), (OK[:-2], OK[-2:-1], OK[-1:])])
def test_each_answer_is_given_to_its_script_in_full(pieces: tuple[bytes, ...]) -> None:
    """A script gets each response whole and once, however it is cut into pieces."""
    answers: list[bytes] = []
    with server(*pieces) as port:
        rate = measure(port, [noting(answers, 3), noting(answers, 2)])

    assert [OK] * 5 == answers
    assert (5, True) == (rate.total, rate.answers > 0)


def test_a_load_ends_when_its_time_is_over() -> None:
    """A script without end is stopped when the time is over, and its responses count, even one that comes then."""
    with server(OK) as port:
        assert measure(port, [scripts.repeat("/")], seconds=0.05).total > 0


def test_an_answer_of_another_status_spoils_the_measurement() -> None:
    """A fast error does not count as speed."""
    with server(OK.replace(b"200 OK", b"503 Busy")) as port, pytest.raises(LoadError, match="503 Busy"):
        measure(port, [scripts.repeat("/")], seconds=5)


def test_a_broken_connection_spoils_the_measurement() -> None:
    """A server that disconnects fails the measurement at once."""
    with server() as port, pytest.raises(LoadError, match="a connection broke"):
        measure(port, [scripts.repeat("/")], seconds=5)


@pytest.mark.parametrize(
    ("answer", "size"),
    [(OK, len(OK)), (OK.lower(), len(OK)), (OK[:-5], len(OK)), (OK[:-6], 0), (b"", 0)],
)
def test_the_size_is_read_from_the_head(answer: bytes, size: int) -> None:
    """The size is known as soon as the head is complete, and 0 before."""
    assert size == size_of(answer)
