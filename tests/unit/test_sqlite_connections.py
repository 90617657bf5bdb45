"""Connections to a file that others write to."""

from pathlib import Path

import apsw
import pytest

from adapters.sqlite import connections
from adapters.sqlite.checkpoints import Checkpoints
from adapters.sqlite.connections import ASK_AGAIN_S, connect, migrate

MOMENTS = 40


@pytest.mark.parametrize("after_a_checkpoint", [False, True])
def test_waiting_for_another_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after_a_checkpoint: bool) -> None:
    """A connection asks again at short, equal intervals, however long it waits, so that it finds a short pause."""
    holder, waiting = connect(tmp_path / "a.db"), connect(tmp_path / "a.db")
    migrate(holder)
    if after_a_checkpoint:
        Checkpoints(waiting, connect(tmp_path / "a.db")).when_idle()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == MOMENTS:
            holder.execute("COMMIT")

    monkeypatch.setattr("adapters.sqlite.connections.time.sleep", sleep)
    holder.execute("BEGIN IMMEDIATE")
    waiting.execute("BEGIN IMMEDIATE")
    assert [ASK_AGAIN_S] * MOMENTS == slept
    holder.close()
    waiting.close()


def test_waiting_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit the connection gives up."""
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 20)
    holder, waiting = connect(tmp_path / "a.db"), connect(tmp_path / "a.db")
    holder.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        with pytest.raises(apsw.BusyError):
            waiting.execute("BEGIN IMMEDIATE")
    holder.close()
    waiting.close()
