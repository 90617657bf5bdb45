"""The command that looks for damage."""

import json
from pathlib import Path

import pytest

from tests.e2e.service import running
from tests.e2e.test_backup import store
from tests.e2e.test_cli import run
from tests.inspection.damages import bytes_of, do

__all__ = ["store"]


def test_a_sound_store(tmp_path: Path, store: str) -> None:
    """Nothing is found beside a running service, nor in a backup, of which no byte changes."""
    with running(tmp_path, store=store, demo="1"):
        ended = run(tmp_path, "verify", store)
        assert 0 == ended.returncode, ended.stderr
        assert ended.stdout.startswith("verified 3 entities and 3 changes in ")
        assert ended.stdout.endswith("nothing is wrong\n")
        assert 0 == run(tmp_path, "backup", "monday.db", "--from", store).returncode
    before = bytes_of(tmp_path / "monday.db")
    assert 0 == run(tmp_path, "verify", "monday.db").returncode
    assert before == bytes_of(tmp_path / "monday.db")
    assert 0 == run(tmp_path, "verify", store=store).returncode


@pytest.mark.anyio
async def test_a_damaged_store(tmp_path: Path, store: str) -> None:
    """Each finding is a line, the exit code is 1, and the last line says what to do."""
    with running(tmp_path, store=store, demo="1"):
        pass
    await do(store, "UPDATE products SET name_key = 'x' || id")
    ended = run(tmp_path, "verify", store)
    assert 1 == ended.returncode
    assert "sort key: product 3 name_key is 'x3', and should be 'widget c'" in ended.stdout.splitlines()
    assert "is damaged (3 findings): all of this follows from the documents, which are sound: " in ended.stderr
    await do(store, "DELETE FROM changes")
    ended = run(tmp_path, "verify", store)
    assert "bring back the newest backup that is sound" in ended.stderr.splitlines()[-1]


@pytest.mark.anyio
async def test_many_findings(tmp_path: Path) -> None:
    """Of one kind 100 are shown, and the others counted."""
    with running(tmp_path) as service, service.client() as client:
        for _ in range(3):
            operations = [{"op": "create", "body": {"title": "x"}}] * 50
            assert 200 == client.post("/tasks/bulk", json={"operations": operations}).status_code
    await do(f"sqlite:///{tmp_path}/backroom.db", "UPDATE tasks SET title_key = 'y'")
    ended = run(tmp_path, "verify", "backroom.db", "--json")
    lines = list(map(json.loads, ended.stdout.splitlines()))
    named = [each for each in lines if each.get("kind") == "sort key" and "where" in each]
    assert (100, {"kind": "sort key", "more": 50}) == (len(named), next(each for each in lines if "more" in each))
    assert {"entities": 150, "changes": 150} == {name: lines[-1][name] for name in ("entities", "changes")}
    assert 150 == lines[-1]["findings"]
    quiet = run(tmp_path, "verify", "backroom.db", "--quiet")
    assert (1, "", 1) == (quiet.returncode, quiet.stdout, len(quiet.stderr.splitlines()))


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("none.db", 1, "none.db does not exist"),
        ("memory://", 2, "STORE must not be memory://"),
        ("mysql://x", 2, "STORE must be sqlite:///PATH or postgresql://"),
        ("postgresql://u:hush@127.0.0.1:1/d", 1, "PostgreSQL cannot be reached"),
    ],
)
def test_a_store_that_cannot_be_opened(tmp_path: Path, target: str, code: int, said: str) -> None:
    """The reason is one line, without a secret."""
    ended = run(tmp_path, "verify", target)
    assert (code, 1) == (ended.returncode, len(ended.stderr.splitlines()))
    assert said in ended.stderr
    assert "hush" not in ended.stderr
