"""Keys, sessions and limits of real services."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from tests.databases import Databases
from tests.e2e.service import Service, running
from tests.e2e.test_cli import run
from tests.http.access import bearer


def new_key(folder: Path, scope: str = "admin", store: str | None = None) -> str:
    """Make a key with the command line, by default in the store in a folder."""
    store = store or f"sqlite:///{folder / 'backroom.db'}"
    made = run(folder, "keys", "create", "till 2", "--scope", scope, store=store)
    assert 0 == made.returncode, made.stderr
    return made.stdout.strip()


def status(service: Service, path: str = "/tasks", **headers: str) -> int:
    """Ask on a connection of its own, and return the status."""
    return httpx2.get(service.url + path, headers=headers, timeout=30).status_code


def command_lines() -> bytes:
    """Return the command line of every process, but of those that end meanwhile."""
    found = b""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += each.read_bytes()
    return found


def test_others_are_let_in(tmp_path: Path) -> None:
    """With a key in its store a service listens on a public address, and lets in only callers with a key."""
    key = new_key(tmp_path)
    with running(tmp_path, host="0.0.0.0") as service:
        service.url = service.url.replace("0.0.0.0", "127.0.0.1")
        assert [401, 200] == [status(service), status(service, **bearer(key))]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_revocation_holds_everywhere_at_once(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    """A service refuses a key at the next request after the command line or another service revoked it."""
    store = f"sqlite:///{tmp_path / 'backroom.db'}"
    if kind == "postgres":
        postgres: Databases = request.getfixturevalue("postgres")
        store = asyncio.run(postgres.empty("access"))
    admin, one, two = (new_key(tmp_path, scope, store) for scope in ("admin", "read", "read"))
    with running(tmp_path, store=store) as first, running(tmp_path, store=store, workers="2") as second:
        assert [200] * 4 == [status(each, **bearer(key)) for each in (first, second) for key in (one, two)]
        run(tmp_path, "keys", "revoke", "2", store=store)
        assert [401, 401] == [status(each, **bearer(one)) for each in (first, second)]
        httpx2.delete(f"{first.url}/keys/3", headers=bearer(admin), timeout=30).raise_for_status()
        assert [401, 401] == [status(each, **bearer(two)) for each in (second, first)]


def test_a_limit_holds_over_all_workers(tmp_path: Path) -> None:
    """Exactly as many requests pass as the limit allows, however many workers answer."""
    key = new_key(tmp_path)
    with running(tmp_path, workers="3", rate_limit="20/hour") as service:
        statuses = [status(service, **bearer(key)) for _ in range(40)]
    assert (20, 20) == (statuses.count(200), statuses.count(429))


def test_secrets_stay_secret(tmp_path: Path) -> None:
    """No key and no token is in the log, in what the store keeps, in an answer or in the list of processes."""
    key = new_key(tmp_path)
    with running(tmp_path, log="json", rate_limit="1000/second") as service, service.client() as client:
        opened = client.post("/session", json={"key": key})
        made = client.post("/keys", json={"name": "x", "scope": "read"}, headers=bearer(key)).json()["key"]
        rotated = client.post("/keys/2/rotate", json={"overlap": "0s"}, headers=bearer(key)).json()["key"]
        token = opened.headers["set-cookie"].partition(";")[0].partition("=")[2]
        secrets = (key, made, rotated, token)
        answers = [client.get("/keys", headers=bearer(key)), client.get("/session"), client.get("/changes")]
        for each in secrets:
            answers += [
                client.get(f"/tasks?key={each}"),
                client.get(f"/{each}"),
                client.get("/tasks", headers={"Authorization": f"Basic {each}", "X-Request-ID": each[:40]}),
                client.get("/tasks", headers=[("Authorization", f"Bearer {each}")] * 2),
                client.post("/session", json={"key": f"{each}x"}),
                client.post("/session", json={"key": [each]}),
                client.post("/keys", json={"name": "x", "scope": each[:5]}, headers=bearer(key)),
            ]
        shown = command_lines()
        kept = b"".join(each.read_bytes() for each in tmp_path.glob("backroom.db*"))
        assert 0 == service.stop()
    assert all(json.loads(line) for line in service.said)
    told = "".join([*service.said, *(answer.text + str(answer.headers) for answer in answers)]).encode()
    for each in secrets:
        for where in (told, shown, kept):
            assert each[4:34].encode() not in where
