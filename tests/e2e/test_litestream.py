"""Litestream beside a service: it replicates the file, and what it restores is a sound store."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from tests.e2e.service import Service, environment, running
from tests.e2e.test_cli import run

DOCS = Path(__file__).parents[2] / "docs"
CONFIGURATION, PAGE = DOCS / "litestream.yml", DOCS / "operating.md"
PROGRAMS = Path(sys.executable).parent
LITESTREAM = str(PROGRAMS / "litestream")
OPERATIONS = [{"op": "create", "body": {"title": "Count the till", "notes": "x" * 500}}] * 200


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """Return the configuration of the operators' page, for a file and a replica in the test's folder."""
    text = CONFIGURATION.read_text()
    for named, here in (("/var/lib/backroom", tmp_path), ("/var/backups/backroom", tmp_path / "replica")):
        assert named in text
        text = text.replace(named, str(here))
    (tmp_path / "litestream.yml").write_text(text)
    return tmp_path / "litestream.yml"


@contextmanager
def replicating(configuration: Path) -> Iterator[None]:
    """Run Litestream, once it has synchronized. When it is asked to end, it does so for the last time."""
    command = [LITESTREAM, "replicate", "-config", str(configuration)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        assert any(" complete" in line for line in process.stdout)  # its first snapshot or compaction
        yield
        process.terminate()
        rest, _ = process.communicate(timeout=60)
        assert "level=ERROR" not in rest, rest
    finally:
        process.kill()
        process.wait()


def restore(folder: Path) -> str:
    """Restore the replica into `again.db` by the lines of the operators' page, as they stand; return what they say."""
    (lines,) = re.findall(r"```\n(litestream restore .*?)```", PAGE.read_text(), re.DOTALL)
    script = f"set -e\n{lines.replace('/var/lib/backroom', str(folder))}"
    settings = {**environment(), "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    ended = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=settings, capture_output=True, text=True, timeout=90, check=False
    )
    assert 0 == ended.returncode, ended.stderr
    return ended.stdout


def write(service: Service, times: int) -> None:
    """Make tasks; return when all are acknowledged."""
    with service.client() as client:
        for _ in range(times):
            assert 200 == client.post("/tasks/bulk", json={"operations": OPERATIONS}).status_code


def count(service: Service) -> int:
    """Count the tasks."""
    with service.client() as client:
        total: int = client.get("/tasks?limit=1&total=true").json()["total"]
        return total


def test_nothing_acknowledged_is_missing(tmp_path: Path, configuration: Path) -> None:
    """All writes acknowledged before the last synchronization are restored, also when the log was emptied meanwhile."""
    with running(tmp_path) as service:
        with replicating(configuration):
            writers = [threading.Thread(target=write, args=(service, 12)) for _ in range(4)]
            for each in writers:
                each.start()
            for each in writers:
                each.join()
        write(service, 5)  # nobody replicates these
        assert 0 == service.stop()
    assert not (tmp_path / "backroom.db-wal").exists()
    with running(tmp_path) as service:
        with replicating(configuration):
            write(service, 1)
        assert "nothing is wrong" in restore(tmp_path)
        assert 54 * 200 == count(service)
    with running(tmp_path, store="sqlite:///again.db") as again:
        assert 54 * 200 == count(again)
        write(again, 1)


def test_its_tables_are_ignored(tmp_path: Path, configuration: Path) -> None:
    """Tables of Litestream hinder neither a check nor a backup, a move or a start, and no copy has them."""
    with running(tmp_path) as service:
        with replicating(configuration):
            write(service, 1)
        store = f"sqlite:///{tmp_path / 'backroom.db'}"
        assert {"_litestream_lock", "_litestream_seq"} <= tables(tmp_path / "backroom.db")
        assert 0 == run(tmp_path, "verify", store=store).returncode
        assert 0 == run(tmp_path, "backup", "monday.db", store=store).returncode
        assert 0 == run(tmp_path, "move", store, "sqlite:///moved.db").returncode
    with running(tmp_path) as service:
        assert 200 == count(service)
    for copy in ("monday.db", "moved.db"):
        assert not {name for name in tables(tmp_path / copy) if "litestream" in name}


def test_it_survives_a_migration(tmp_path: Path) -> None:
    """A file with tables of Litestream is migrated like any other."""
    file = tmp_path / "backroom.db"
    connection = apsw.Connection(str(file))
    connection.execute("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
    connection.execute("PRAGMA application_id = 0x6261636B")
    connection.close()
    with running(tmp_path) as service:
        write(service, 1)
    assert {"_litestream_seq", "tasks"} <= tables(file)
    assert 0 == run(tmp_path, "verify", store=f"sqlite:///{file}").returncode


def tables(file: Path) -> set[str]:
    """Name the tables of a file."""
    connection = apsw.Connection(str(file), apsw.SQLITE_OPEN_READONLY)
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
