"""Moving a service that people use to another store, and what comes of it if that goes wrong."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import httpx2
import pytest
from standardwebhooks import Webhook

from tests.databases import Databases
from tests.e2e.receiver import receiving
from tests.e2e.service import running
from tests.e2e.test_cli import run

SOON = 60.0  # seconds, for what happens in a few, on a machine that has more to do
HALTING = [sys.executable, "-m", "tests.e2e.halting"]
SHORT_TIMEOUTS = [sys.executable, str(Path(__file__).with_name("short_timeouts.py"))]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(postgres: Databases) -> str:
    """Return the URL of an empty store in PostgreSQL."""
    return asyncio.run(postgres.empty("moved_to"))


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where to move, in each kind of store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/to.db"
    url: str = request.getfixturevalue("database")
    return url


@pytest.fixture
def source(tmp_path: Path) -> Iterator[str]:
    """Return the store of a service that runs, and has three products."""
    with running(tmp_path, demo="1"):
        yield f"sqlite:///{tmp_path}/backroom.db"


def answers(client: httpx2.Client, *paths: str) -> list[Any]:
    """Return an answer, with the tag of a single entity, but without the parts that name the request or the log."""
    found = []
    for path in paths:
        got = client.get(path)
        body = {name: value for name, value in got.json().items() if name != "request_id"}
        history = [{**each, "cursor": None} for each in body.pop("history", [])]
        etag = None if history else got.headers.get("etag")  # that of a history covers its cursors
        found.append((got.status_code, body, history, etag))
    return found


def listed(client: httpx2.Client) -> list[Any]:
    """Return every task and product by walking the lists."""
    found: list[Any] = []
    for url in ("/tasks?limit=2&sort=-title", "/products?limit=2&sort=price"):
        following: str | None = url
        while following is not None:
            page = client.get(following).json()
            found.append(page.get("tasks", page.get("products")))
            following = page["next"]
    return found


def test_clients_do_not_notice(tmp_path: Path, database: str) -> None:
    """Tags, histories, cursors of lists and of the log, keys, ids, stock and webhooks go on where they were."""
    key = {"Idempotency-Key": "order-7"}
    with receiving() as receiver:
        with running(tmp_path, demo="1", webhooks_allow_private="1") as service, service.client() as client:
            hook = client.post("/webhooks", json={"url": receiver.url, "types": ["task.created"]}).json()
            client.put("/webhooks/1", json={"enabled": False})
            for number in range(5):
                client.post("/tasks", json={"title": f"Task {number}", "notes": "ä\n\t😀", "due": "9999-12-31"})
            client.patch("/tasks/2", json={"status": "done"}, headers={"If-Match": '"1"'})
            client.delete("/tasks/3")
            client.delete("/tasks/5")
            first = client.post("/products/1/stock", json={"change": 1}, headers=key)
            client.put("/products/2", json={"stock": 5})
            ordered = client.post("/products/2/stock", json={"change": -2}, headers={"Idempotency-Key": "order-8"})
            paths = ["/tasks/1", "/tasks/2", "/tasks/3", "/tasks/2/history", "/tasks/3/history", "/products/2"]
            before, lists = answers(client, *paths), listed(client)
            page = client.get("/tasks?limit=2&sort=-title").json()
            followed = client.get("/changes?limit=4").json()
            moved = run(tmp_path, "move", f"sqlite:///{tmp_path}/backroom.db", database)
            assert (0, True) == (moved.returncode, moved.stdout.startswith("moved ")), moved.stderr
            late = client.post("/tasks", json={"title": "Too late"}).json()["id"]
        with (
            running(tmp_path, program=SHORT_TIMEOUTS, store=database, webhooks_allow_private="1") as service,
            service.client() as client,
        ):
            assert (before, lists) == (answers(client, *paths), listed(client))
            assert 2 == client.get(page["next"]).json()["count"] + client.get("/tasks?limit=1").json()["count"]
            rest = client.get(f"/changes?after={followed['cursor']}").json()["changes"]
            assert [("task.created", 2), ("task.created", 3)] == [(each["type"], each["id"]) for each in rest][:2]
            for kept, path, body, sent in (
                (first, "/products/1/stock", {"change": 1}, key),
                (ordered, "/products/2/stock", {"change": -2}, {"Idempotency-Key": "order-8"}),
            ):
                again = client.post(path, json=body, headers=sent)
                assert (kept.status_code, kept.content) == (again.status_code, again.content)
                assert "true" == again.headers["idempotency-replayed"]
            assert 3 == client.get("/products/2").json()["stock"]
            assert late == client.post("/tasks", json={"title": "In time"}).json()["id"] == 6
            assert 412 == client.patch("/tasks/2", json={"title": "x"}, headers={"If-Match": '"1"'}).status_code
            assert 200 == client.post("/tasks/3/restore").status_code
            client.put("/webhooks/1", json={"enabled": True})
            assert receiver.wait_for(7, within=SOON)
    for message in receiver.messages:
        Webhook(hook["secret"]).verify(message.body, message.headers)
    told = [json.loads(message.body)["data"] for message in receiver.messages]
    order = list(dict.fromkeys((each["id"], each["version"]) for each in told))
    assert [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (3, 3)] == order


def begun(stage: str, *command: str) -> "subprocess.Popen[str]":
    """Begin to copy, and return when it has halted at a stage."""
    process = subprocess.Popen(
        [*HALTING, stage, *command], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert "halted\n" == process.stdout.readline(), process.communicate()
    return process


def stock_of(target: str, folder: Path) -> list[str]:
    """Return the names of the products in a store, as a service answers them."""
    folder.mkdir(exist_ok=True)
    with running(folder, store=target) as service, service.client() as client:
        return sorted(each["name"] for each in client.get("/products").json()["products"].values())


@pytest.mark.parametrize("stage", ["copying", "comparing"])
def test_killed_in_the_middle(tmp_path: Path, source: str, target: str, stage: str) -> None:
    """After kill -9, even when all was written, the target is an empty store, and moving again succeeds."""
    process = begun(stage, "move", source, target)
    process.kill()
    process.communicate()
    assert [] == stock_of(target, tmp_path / "other")
    assert 0 == run(tmp_path, "move", source, target).returncode
    assert ["Gadget B", "Widget A", "Widget C"] == stock_of(target, tmp_path / "other")


@pytest.mark.parametrize("stage", ["copying", "comparing"])
def test_interrupted_at_the_terminal(tmp_path: Path, source: str, target: str, stage: str) -> None:
    """Ctrl-C ends it at once, without a traceback, and the target is empty."""
    process = begun(stage, "move", source, target)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=SOON)
    assert 130 == process.returncode
    assert said.rstrip().endswith("backroom: interrupted; nothing was moved")
    assert "Traceback" not in said
    assert [] == stock_of(target, tmp_path / "other")


def test_interrupted_too_late(tmp_path: Path, source: str, target: str) -> None:
    """Ctrl-C while it is committed changes nothing: all was moved, and that is what is said."""
    process = begun("committing", "move", source, target)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=SOON)
    assert (0, False) == (process.returncode, "nothing was moved" in said)
    assert out.startswith("moved ")
    assert ["Gadget B", "Widget A", "Widget C"] == stock_of(target, tmp_path / "other")


def test_two_at_once(tmp_path: Path, source: str, target: str) -> None:
    """Only one move can write to a target; the second one gets an error."""
    process = begun("comparing", "move", source, target)
    second = run(tmp_path, "move", source, target)
    process.kill()
    process.communicate()
    assert 1 == second.returncode
    assert "nothing was moved" in second.stderr
    assert [] == stock_of(target, tmp_path / "other")


@pytest.mark.parametrize("command", ["move", "restore"])
def test_a_service_on_the_target(tmp_path: Path, target: str, command: str) -> None:
    """A service on an empty target is named as the reason, and serves on; once it has stopped, all arrives."""
    with running(tmp_path, demo="1") as service:
        service.stop()
    source = f"sqlite:///{tmp_path}/backroom.db"
    words = (command, source, target) if command == "move" else (command, f"{tmp_path}/backroom.db", "--to", target)
    (tmp_path / "there").mkdir()
    with running(tmp_path / "there", store=target) as service, service.client() as client:
        refused = run(tmp_path, *words)
        assert (1, "") == (refused.returncode, refused.stdout)
        assert re.search(r"\nbackroom: .* open.*: stop it first; nothing was (moved|restored)\n\Z", refused.stderr)
        assert {} == client.get("/products").json()["products"]
    assert 0 == run(tmp_path, *words).returncode
    assert ["Gadget B", "Widget A", "Widget C"] == stock_of(target, tmp_path / "other")


def test_a_target_that_is_not_empty(tmp_path: Path, source: str) -> None:
    """It is named, nothing is written, and the exit code is 1."""
    target = f"sqlite:///{tmp_path}/to.db"
    assert 0 == run(tmp_path, "move", source, target).returncode
    before = (tmp_path / "to.db").read_bytes()
    again = run(tmp_path, "move", source, target)
    assert 1 == again.returncode
    assert f"backroom: {target}: the store is not empty; nothing was moved\n" in again.stderr
    assert before == (tmp_path / "to.db").read_bytes()


def test_lines_for_a_pipe(tmp_path: Path, source: str) -> None:
    """Output that is no terminal gets plain lines, and only the result goes to stdout."""
    moved = run(tmp_path, "move", source, "sqlite:///new/to.db")
    assert 1 == len(moved.stdout.splitlines())
    assert "\r" not in moved.stderr
    assert re.search(r"copying: 100 %, (\d) of \1\n(.*\n)+comparing: 100 %, \1 of \1\n", moved.stderr)
    assert (tmp_path / "new" / "to.db").exists()


@pytest.mark.parametrize(
    ("urls", "code", "said"),
    [
        (("memory://", "sqlite:///a.db"), 2, "FROM must not be memory://"),
        (("sqlite:///a.db", "memory://"), 2, "TO must not be memory://"),
        (("mysql://u:hush@h/d", "sqlite:///a.db"), 2, "FROM must be sqlite:///PATH or postgresql://"),
        (("sqlite:///a.db", "a.db"), 2, "TO must be sqlite:///PATH or postgresql://"),
        (("sqlite:///a.db", "sqlite:///a.db"), 2, "FROM and TO are the same"),
        (("sqlite:///a.db", "sqlite:///b.db"), 1, "a.db does not exist"),
        (("sqlite:///.", "sqlite:///b.db"), 1, "sqlite:///."),
        (
            ("postgresql://u:hush@127.0.0.1:1/d", "sqlite:///a.db"),
            1,
            "postgresql://127.0.0.1:1/d: PostgreSQL cannot",
        ),
        (("postgresql://u:hush#x@127.0.0.1/d", "sqlite:///a.db"), 1, "the URL has a # in it"),
        (("postgresql://127.0.0.1:1/d?password=hush@x", "sqlite:///a.db"), 1, "postgresql://…: PostgreSQL cannot be"),
        (("postgresql://u:hu@sh@127.0.0.1:1/d", "sqlite:///a.db"), 1, "postgresql://…: "),
    ],
)
def test_what_cannot_be_moved(tmp_path: Path, urls: tuple[str, str], code: int, said: str) -> None:
    """One line names the error without a secret of the URL, and nothing is made."""
    ended = run(tmp_path, "move", *urls)
    assert code == ended.returncode
    assert said in ended.stderr
    assert 1 == len(ended.stderr.splitlines())
    assert not any(secret in ended.stderr for secret in ("hush", "hu@", "sh@"))
    assert [] == list(tmp_path.iterdir())


def test_a_document_that_cannot_be_read(tmp_path: Path, source: str) -> None:
    """The error is reported as itself, and not as a fault of the URLs."""
    connection = apsw.Connection(str(tmp_path / "backroom.db"))
    connection.set_busy_timeout(10_000)  # the service, which is just starting, may write too
    connection.execute("UPDATE products SET document = '{' WHERE id = 2")
    connection.close()
    ended = run(tmp_path, "move", source, "sqlite:///to.db")
    assert (1, 0) == (ended.returncode, ended.stderr.count("URL"))
    assert re.search(r"to\.db: .*char.*; nothing was moved\n$", ended.stderr)


def test_an_older_store(tmp_path: Path) -> None:
    """A source is never written to, so one with an old schema is refused, with what to do."""
    connection = apsw.Connection(str(tmp_path / "old.db"))
    connection.execute("PRAGMA application_id=0x6261636b; PRAGMA user_version=1")
    connection.close()
    ended = run(tmp_path, "move", "sqlite:///old.db", "sqlite:///b.db")
    assert 1 == ended.returncode
    assert "let it serve the store once" in ended.stderr
    assert not (tmp_path / "b.db").exists()
