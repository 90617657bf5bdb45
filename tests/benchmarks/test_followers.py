"""Followers count their messages, however these are cut into pieces, and report everything else."""

import asyncio

import pytest

from tests.benchmarks.followers import Crowd, FollowerConnection
from tests.benchmarks.load import LoadError

pytestmark = pytest.mark.anyio

ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
SHORT, LONG = b"\x81\x05hello", b"\x81\x7e\x01\x00" + b"x" * 256
LONGEST = b"\x81\x7f" + (65536).to_bytes(8) + b"x" * 65536
PING, CLOSE = b"\x89\x04ping", b"\x88\x02\x03\xf5"


class Written(asyncio.Transport):
    """A transport that records what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Record the bytes."""
        self.data += data


def follower(crowd: Crowd) -> tuple[FollowerConnection, Written]:
    """Return a follower that has sent its handshake, and the transport that records its later output."""
    connection, transport = FollowerConnection(crowd), Written()
    connection.connection_made(transport)
    assert transport.data.startswith(b"GET /ws HTTP/1.1\r\n")
    transport.data = b""
    return connection, transport


@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_messages_are_counted(size: int) -> None:
    """Each message counts once, at any length, in any pieces. A ping does not count and gets a pong."""
    crowd = Crowd(expected=5)
    sent = ACCEPTED + SHORT + PING + LONG + SHORT + LONGEST + SHORT
    connection, transport = follower(crowd)
    for start in range(0, len(sent), size):
        assert not crowd.complete.is_set()
        connection.data_received(sent[start : start + size])
    await crowd.all_told()
    assert (5, b"\x8a\x84\0\0\0\0ping") == (crowd.messages, transport.data)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "403 Forbidden"),
        (ACCEPTED + SHORT + CLOSE, "was sent"),
        (ACCEPTED + b"\x82\x01x", "was sent"),
    ],
)
async def test_what_is_no_message_spoils_the_measurement(sent: bytes, reason: str) -> None:
    """A follower that is refused, closed or sent anything else fails the measurement at once."""
    crowd = Crowd(expected=2)
    follower(crowd)[0].data_received(sent)
    with pytest.raises(LoadError, match=reason):
        await crowd.all_told()


async def test_a_follower_that_is_cut_off_spoils_the_measurement() -> None:
    """A follower that is cut off early fails the measurement. Once all messages have arrived, it may disconnect."""
    crowd = Crowd(expected=1)
    connection, _ = follower(crowd)
    connection.data_received(ACCEPTED + SHORT)
    connection.connection_lost(None)
    await crowd.all_told()
    crowd.expect(1)
    connection.connection_lost(None)
    with pytest.raises(LoadError, match="closed by the server"):
        await crowd.all_told()
