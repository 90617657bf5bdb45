"""The command that shows what is, and gives the log of a copy a new name."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.service import running
from tests.e2e.test_backup import store
from tests.e2e.test_cli import run

__all__ = ["store"]


def test_a_store(tmp_path: Path, store: str) -> None:
    """Settings with where they come from, and what is in the store, as text and as JSON, beside a running service."""
    with running(tmp_path, store=store, demo="1", webhooks_allow_private="1") as service, service.client() as client:
        hook = {"url": "http://127.0.0.1:9/", "enabled": False}
        assert 201 == client.post("/webhooks", json=hook).status_code
        ended = run(tmp_path, "doctor", store=store, changes_kept="36h", rate_limit="5/minute")
        assert (0, "") == (ended.returncode, ended.stderr)
        lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
        for line in ("changes_kept 36h (BACKROOM_CHANGES_KEPT)", "rate_limit 5/minute (BACKROOM_RATE_LIMIT)"):
            assert line in lines
        for line in ("port 8000 (default)", "products 3", "changes 4", "webhook 1 disabled", "valid keys 0"):
            assert line in lines
        assert "Nothing needs attention." == lines[-1]
        found = json.loads(run(tmp_path, "doctor", store, "--json").stdout)
    assert ({"settings", "store", "versions", "warnings"}, []) == (set(found), found["warnings"])
    assert ("SQLite" if store.startswith("sqlite") else "PostgreSQL") in found["versions"]


def test_settings_that_stop_the_service(tmp_path: Path) -> None:
    """Each bad value is told, the others are shown, and the exit code is 1."""
    with running(tmp_path):
        pass
    ended = run(tmp_path, "doctor", store="sqlite:///backroom.db", port="x", host="0.0.0.0", stroe="y")
    assert 1 == ended.returncode
    assert ended.stderr.startswith("backroom: the service cannot work so: BACKROOM_PORT must be a whole number")
    assert "make one with backroom keys create NAME --scope admin" in ended.stdout
    assert "BACKROOM_STROE is not a setting, and is ignored" in ended.stdout
    assert "8000  (default)" in ended.stdout
    quiet = run(tmp_path, "doctor", "--quiet", port="x")
    assert (1, "", 1) == (quiet.returncode, quiet.stdout, len(quiet.stderr.splitlines()))


@pytest.mark.parametrize(
    ("store", "code", "said"),
    [
        ("sqlite:///none.db", 0, "none.db does not exist yet; the service makes it at its first start"),
        ("memory://", 0, "memory:// keeps nothing that outlives the service"),
        ("sqlite:///text.db", 1, "text.db cannot be read: text.db is not a SQLite database"),
        (
            "postgresql://u:hush@127.0.0.1:1/d",
            1,
            "postgresql://127.0.0.1:1/d cannot be read: PostgreSQL cannot be reached",
        ),
    ],
)
def test_a_store_that_cannot_be_read(tmp_path: Path, store: str, code: int, said: str) -> None:
    """The reason is told beside everything else, without a secret; only what stops the service is a failure."""
    (tmp_path / "text.db").write_text("no database" * 100)
    ended = run(tmp_path, "doctor", store=store)
    assert (code, True) == (ended.returncode, said in ended.stdout)
    assert "Python" in ended.stdout
    assert "hush" not in ended.stdout + ended.stderr
    assert ["text.db"] == [each.name for each in tmp_path.iterdir()]


def test_a_new_log(tmp_path: Path, store: str) -> None:
    """Cursors from before hold, later ones of the original answer 410, and a running service refuses it."""
    with running(tmp_path, store=store, demo="1") as service, service.client() as client:
        early = client.get("/changes").json()["cursor"]
        refused = run(tmp_path, "doctor", store, "--new-log")
        assert (1, True) == (refused.returncode, "stop" in refused.stderr), refused.stderr
        assert 201 == client.post("/products", json={"name": "Late", "price": 1}).status_code
        late = client.get("/changes").json()["cursor"]
    behind = f"{late.partition('-')[0]}-{int(late.partition('-')[2]) + 1}"
    named = run(tmp_path, "doctor", store, "--new-log")
    assert (0, True) == (named.returncode, "is called" in named.stdout), named.stderr
    assert 0 == run(tmp_path, "verify", store).returncode
    with running(tmp_path, store=store) as service, service.client() as client:
        assert 1 == len(client.get("/changes", params={"after": early}).json()["changes"])
        assert [] == (reply := client.get("/changes", params={"after": late}).json())["changes"]
        assert late.partition("-")[0] != reply["cursor"].partition("-")[0]
        assert 410 == client.get("/changes", params={"after": behind}).status_code


def test_a_copied_file(tmp_path: Path) -> None:
    """The service warns when it starts on the copy of a file that is still there, and the doctor names the remedy."""
    with running(tmp_path) as service:
        service.stop()  # so that the file alone has everything
    shutil.copy(tmp_path / "backroom.db", tmp_path / "copy.db")
    with running(tmp_path, store="sqlite:///copy.db") as service:
        service.stop()
    assert any("is a copy of" in line for line in service.said)
    assert "doctor --new-log" in run(tmp_path, "doctor", "sqlite:///copy.db").stdout
    assert 0 == run(tmp_path, "doctor", "sqlite:///copy.db", "--new-log").returncode
    assert "Nothing needs attention" in run(tmp_path, "doctor", "sqlite:///copy.db").stdout
