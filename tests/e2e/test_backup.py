"""Backing a store up into a file, and bringing it back."""

import asyncio
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.databases import Databases
from tests.e2e.service import Service, running
from tests.e2e.test_cli import run
from tests.e2e.test_moving import begun


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty store, of each kind that other processes can open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    postgres: Databases = request.getfixturevalue("postgres")
    return asyncio.run(postgres.empty("backed_up"))


@pytest.fixture
def service(tmp_path: Path, store: str) -> Iterator[Service]:
    """Run a service that has three products."""
    with running(tmp_path, store=store, demo="1") as service:
        yield service


def names(client: httpx2.Client) -> list[str]:
    """Return the names of all products."""
    return sorted(each["name"] for each in client.get("/products").json()["products"].values())


def test_there_and_back(tmp_path: Path, store: str, service: Service) -> None:
    """A restore brings back the state at the moment of the backup, nothing later, and no cursor is misread."""
    with service.client() as client:
        early = client.get("/products").json()["changes"]
        assert 0 == run(tmp_path, "backup", "monday.db", "--from", store).returncode
        assert 201 == client.post("/products", json={"name": "Late", "price": 1}).status_code
        late = client.get("/products").json()["changes"]
    assert ["monday.db"] == [each.name for each in tmp_path.glob("monday.db*")]

    restored = run(tmp_path, "restore", "monday.db", "--to", "sqlite:///again.db")
    assert (0, True) == (restored.returncode, restored.stdout.startswith("restored ")), restored.stderr
    with running(tmp_path, store="sqlite:///again.db") as again, again.client() as client:
        assert ["Gadget B", "Widget A", "Widget C"] == names(client)
        assert (200, []) == ((reply := client.get(early)).status_code, reply.json()["changes"])
        assert (410, "cursor_expired") == ((reply := client.get(late)).status_code, reply.json()["code"])
        assert 4 == client.post("/products", json={"name": "New", "price": 1}).json()["id"]


def test_one_moment_among_writers(tmp_path: Path, store: str, service: Service) -> None:
    """A backup that is made while others write holds what had been written up to a moment, and nothing after a gap."""
    enough, written = threading.Event(), threading.Event()

    def write() -> None:
        with service.client() as client:
            number = 0
            while not enough.is_set():
                number += 1
                assert number == client.post("/tasks", json={"title": f"{number}"}).json()["id"]
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    written.wait()
    ended = run(tmp_path, "backup", "monday.db", "--from", store)
    enough.set()
    writer.join()
    assert 0 == ended.returncode, ended.stderr
    run(tmp_path, "restore", "monday.db", "--to", "sqlite:///again.db")
    with running(tmp_path, store="sqlite:///again.db") as again, again.client() as client:
        page = client.get("/tasks?limit=1&total=true&sort=-id").json()
        assert 1 <= page["total"] == page["tasks"][0]["id"]


def test_a_file_that_is_there(tmp_path: Path) -> None:
    """It is left alone, unless it is to be replaced; the store itself never is."""
    (tmp_path / "monday.db").write_text("precious")
    with running(tmp_path):
        refused = run(tmp_path, "backup", "monday.db", "--from", "sqlite:///backroom.db")
        assert (2, "precious") == (refused.returncode, (tmp_path / "monday.db").read_text())
        assert "--replace" in refused.stderr
        itself = run(tmp_path, "backup", "backroom.db", "--from", "sqlite:///backroom.db", "--replace")
        assert (2, True) == (itself.returncode, "is the store itself" in itself.stderr)
        replaced = run(tmp_path, "backup", "monday.db", "--from", "sqlite:///backroom.db", "--replace")
        assert 0 == replaced.returncode, replaced.stderr
    assert (tmp_path / "monday.db").read_bytes().startswith(b"SQLite format 3\0")


@pytest.mark.parametrize("stage", ["copying", "comparing"])
def test_killed_in_the_middle(tmp_path: Path, store: str, service: Service, stage: str) -> None:
    """After kill -9 there is no file of that name, and the next backup succeeds."""
    file = tmp_path / "monday.db"
    process: subprocess.Popen[str] = begun(stage, "backup", str(file), "--from", store)
    process.kill()
    process.communicate()
    assert not file.exists()
    assert 0 == run(tmp_path, "backup", str(file), "--from", store).returncode
    assert ["monday.db"] == [each.name for each in tmp_path.glob("monday.db*")]


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    """It is named, the exit code is 1, and nothing is made."""
    ended = run(tmp_path, "backup", "monday.db", "--from", "sqlite:///none.db")
    assert (1, True) == (ended.returncode, "none.db does not exist; nothing was backed up" in ended.stderr)
    assert [] == list(tmp_path.iterdir())


def test_a_store_that_is_not_empty(tmp_path: Path, store: str, service: Service) -> None:
    """An existing store is not overwritten."""
    assert 0 == run(tmp_path, "backup", "monday.db", "--from", store).returncode
    refused = run(tmp_path, "restore", "monday.db", "--to", store)
    assert (1, True) == (refused.returncode, "the store is not empty; nothing was restored" in refused.stderr)


def test_for_programs(tmp_path: Path, store: str, service: Service) -> None:
    """With --json every line is an object, and with --quiet there is none."""
    ended = run(tmp_path, "backup", "monday.db", "--from", store, "--json")
    assert {"backed up", "seconds"} == set(json.loads(ended.stdout))
    assert {"stage", "done", "total"} == {name for line in ended.stderr.splitlines() for name in json.loads(line)}
    quiet = run(tmp_path, "backup", "tuesday.db", "--from", store, "--quiet")
    assert (0, "", "") == (quiet.returncode, quiet.stdout, quiet.stderr)
