"""Exporting entities for other programs, beside a running service."""

import asyncio
import csv
import io
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import Databases
from tests.e2e.service import Service, command, environment, running
from tests.e2e.test_cli import run
from tests.e2e.test_moving import begun

TASKS = [{"title": 'Brötchen; "frisch"', "due": "2026-12-31"}, {"title": "=1+1", "status": "done", "notes": "a\nb"}]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty store, of each kind that other processes can open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/backroom.db"
    postgres: Databases = request.getfixturevalue("postgres")
    return asyncio.run(postgres.empty("exported"))


@pytest.fixture
def service(tmp_path: Path, store: str) -> Iterator[Service]:
    """Run a service with two tasks, three products, a webhook and a key."""
    with running(tmp_path, store=store, demo="1", webhooks_allow_private="1") as service:
        with service.client() as client:
            for task in TASKS:
                client.post("/tasks", json=task)
            client.post("/webhooks", json={"url": "http://127.0.0.1:9/", "enabled": False})
        yield service


def lines(text: str) -> list[Any]:
    """Return the documents of NDJSON."""
    return [json.loads(line) for line in text.splitlines()]


def test_as_lists_have_it(tmp_path: Path, store: str, service: Service) -> None:
    """Both formats have what the lists of the service have, in the order of ids."""
    with service.client() as client:
        listed = client.get("/tasks").json()["tasks"]
        table = client.get("/tasks", headers={"Accept": "text/csv"}).text
        products = client.get("/products").json()
    exported = run(tmp_path, "export", "tasks", store=store)
    assert (0, listed) == (exported.returncode, lines(exported.stdout)), exported.stderr
    run(tmp_path, "export", "tasks", "--output", "tasks.csv", store=store)
    assert table == (tmp_path / "tasks.csv").read_bytes().decode()
    assert "".join(next(csv.reader(io.StringIO(table)))[4:7]) == "titlestatuspriority"
    exported = run(tmp_path, "export", "products", "--from", store, "--format", "ndjson")
    assert [products["products"][str(id)] for id in products["ids"]] == lines(exported.stdout)


def test_only_some(tmp_path: Path, store: str, service: Service) -> None:
    """A filter selects as it does in lists, and the rest of the output tells how many there were."""
    exported = run(tmp_path, "export", "tasks", "--filter", "status=done&title[null]=false", store=store)
    assert ["=1+1"] == [each["title"] for each in lines(exported.stdout)]
    assert "exported 1 tasks in " in exported.stderr


def test_everything_with_history(tmp_path: Path, store: str, service: Service) -> None:
    """Lines of several types name theirs; changes are as the service tells them; nothing of webhooks is there."""
    with service.client() as client:
        client.delete("/tasks/1")
        changes = client.get("/changes").json()["changes"]
    exported = run(tmp_path, "export", "all", "--history", store=store)
    everything = lines(exported.stdout)
    assert [("task", 2), *(("product", id) for id in (1, 2, 3))] == [
        (each["type"], each["data"]["id"]) for each in everything[:4]
    ]
    assert changes == everything[4:]
    assert "webhook" not in exported.stdout
    assert "whsec" not in exported.stdout


def test_a_file_that_is_there(tmp_path: Path, store: str, service: Service) -> None:
    """It is left alone, unless it is to be replaced."""
    file = tmp_path / "tasks.ndjson"
    file.write_text("precious")
    refused = run(tmp_path, "export", "tasks", "--output", str(file), store=store)
    assert (2, "precious", True) == (refused.returncode, file.read_text(), "--replace" in refused.stderr)
    replaced = run(tmp_path, "export", "tasks", "--output", str(file), "--replace", store=store)
    assert (0, 2) == (replaced.returncode, len(lines(file.read_text())))
    assert ["tasks.ndjson"] == [each.name for each in tmp_path.glob("tasks*")]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_ended_in_the_middle(tmp_path: Path, store: str, service: Service, number: int) -> None:
    """After kill -9 or Ctrl-C there is no file of that name, and the next export succeeds."""
    file = tmp_path / "tasks.csv"
    process = begun("exporting", "export", "tasks", "--output", str(file), "--from", store)
    process.send_signal(number)
    _, said = process.communicate()
    assert ({signal.SIGKILL: -9, signal.SIGINT: 130}[signal.Signals(number)], False) == (
        process.returncode,
        file.exists(),
    ), said
    assert 0 == run(tmp_path, "export", "tasks", "--output", str(file), store=store).returncode
    assert ["tasks.csv"] == [each.name for each in tmp_path.glob("tasks*")]


def test_a_closed_pipe(tmp_path: Path, store: str, service: Service) -> None:
    """A reader that has enough ends the export, without a complaint."""
    with service.client() as client:
        for _ in range(2):  # more than a pipe holds
            many = [{"op": "create", "body": {"title": f"Task {n}", "notes": "x" * 500}} for n in range(1000)]
            assert 200 == client.post("/tasks/bulk", json={"operations": many}).status_code
    reading, writing = os.pipe()
    with subprocess.Popen(
        command("export", "tasks", "--quiet"),
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(store=store),
        cwd=tmp_path,
        text=True,
    ) as process:
        os.close(writing)
        assert b'{"id":1,' == os.read(reading, 8)
        os.close(reading)
        _, said = process.communicate()
    assert (0, "") == (process.returncode, said)


def test_one_moment_among_writers(tmp_path: Path, store: str, service: Service) -> None:
    """An export that is made while others write has what had been written up to a moment, and nothing after a gap."""
    enough, written = threading.Event(), threading.Event()

    def write() -> None:
        with service.client() as client:
            while not enough.is_set():
                client.post("/tasks", json={"title": "One more"})
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    written.wait()
    exported = run(tmp_path, "export", "tasks", store=store)
    enough.set()
    writer.join()
    ids = [each["id"] for each in lines(exported.stdout)]
    assert list(range(1, len(ids) + 1)) == ids


def test_for_programs(tmp_path: Path, store: str, service: Service) -> None:
    """With --json progress and result are objects, beside the data or on stdout; with --quiet there is neither."""
    told = run(tmp_path, "export", "tasks", "--json", store=store)
    *progress, result = lines(told.stderr)
    assert (2, {"exported", "seconds"}) == (result["exported"], set(result))
    assert {"stage": "exporting", "done": 2, "total": 2} == progress[-1]
    assert (
        2 == json.loads(run(tmp_path, "export", "tasks", "--json", "--output", "a.csv", store=store).stdout)["exported"]
    )
    quiet = run(tmp_path, "export", "tasks", "--quiet", store=store)
    assert (2, "") == (len(lines(quiet.stdout)), quiet.stderr)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("tasks", "--filter", "statuss=done"), 2, r"--filter: unknown parameter 'statuss' \(did you mean status\?"),
        (
            ("tasks", "--filter", "status=open"),
            2,
            r"status must be one of pending, in_progress, done, cancelled, not 'o",
        ),
        (("tasks", "--filter", "status=done", "--history"), 2, r"use one of them"),
        (("all", "--filter", "status=done"), 2, r"--filter needs one type"),
        (("all", "--format", "csv"), 2, r"a CSV file holds one table: export tasks and products into files"),
        (("tasks", "--output", "t.csv", "--history"), 2, r"--history needs --format ndjson"),
        (("webhooks",), 2, r"'webhooks' is not one of 'tasks', 'products', 'all'"),
        (("tasks", "--from", "memory://"), 2, r"STORE must not be memory://"),
        (("tasks", "--from", "sqlite:///none.db"), 1, r"none.db does not exist; nothing was exported"),
        (("tasks", "--output", "."), 2, r"\. is not a regular file"),
        (
            ("tasks", "--from", "sqlite:///none.db", "--output", "none/t.csv"),
            1,
            r"none/t.csv: No such file",
        ),
    ],
)
def test_what_cannot_be_exported(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    """One line names the error, the exit code tells whether the usage was wrong, and nothing is made."""
    ended = run(tmp_path, "export", *arguments)
    assert code == ended.returncode
    assert re.search(said, ended.stderr)
    assert 1 == len(ended.stderr.splitlines())
    assert ("", []) == (ended.stdout, list(tmp_path.iterdir()))


def test_a_full_disk(tmp_path: Path) -> None:
    """An output that takes no more is named, with the exit code of a failure."""
    with running(tmp_path, demo="1"), Path("/dev/full").open("w") as full:
        store = f"sqlite:///{tmp_path}/backroom.db"
        ended = subprocess.run(
            command("export", "products", "--quiet"),
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(store=store),
            text=True,
            check=False,
        )
    assert (1, True) == (ended.returncode, "stdout: No space left on device" in ended.stderr)
