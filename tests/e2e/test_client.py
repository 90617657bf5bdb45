"""The Python client that a generator makes from the OpenAPI document, and the example that keeps a mirror with it."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.relay import relayed
from tests.e2e.service import Service, environment, running
from tests.e2e.test_cli import run

ROOT = Path(__file__).parents[2]
ADDRESS = "http://localhost:8000"


def line(start: str) -> str:
    """Return the command of the README that begins so."""
    (found,) = re.findall(rf"(?m)^{re.escape(start)} .*$", (ROOT / "README.md").read_text())
    return str(found)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the README's command has made the client; not even a warning came of it."""
    folder = tmp_path_factory.mktemp("client")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with running(folder, todo_backend="1") as service:  # so that every path is there
        command = line("openapi-python-client").replace(ADDRESS, service.url)
        made = subprocess.run(
            [*shlex.split(command), "--fail-on-warning"],
            cwd=folder,
            env={**environment(), "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    assert 0 == made.returncode, made.stdout + made.stderr
    return folder


@pytest.fixture
def use(library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a function that imports a module of the client."""
    monkeypatch.syspath_prepend(str(library))
    yield lambda name: import_module(f"backroom_client.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "backroom_client"]:
        del sys.modules[name]


def test_the_life_of_a_task(tmp_path: Path, use: Any) -> None:
    """The client creates, reads, edits and lists; a conflict is a problem with the entity as it stands."""
    models, tasks = use("models"), {name: use(f"api.tasks.{name}_task") for name in ("create", "get", "put", "patch")}
    with running(tmp_path) as service, use("client").Client(service.url, raise_on_unexpected_status=True) as client:
        new = models.TaskCreate(title="Order paper", due=date(2026, 12, 31), priority=models.TaskPriority.HIGH)
        created = [tasks["create"].sync(client=client, body=new, idempotency_key="paper-1") for _ in range(2)]
        read = tasks["get"].sync_detailed(1, client=client)
        assert [read.parsed, read.parsed] == created
        same = models.TaskEdit.from_dict(read.parsed.to_dict())
        put = tasks["put"].sync_detailed(1, client=client, body=same, if_match=read.headers["etag"])
        assert (200, read.parsed) == (put.status_code, put.parsed)  # nothing changed, so there is no new version
        done = models.TaskEdit(status=models.TaskStatus.DONE)
        after = tasks["patch"].sync(1, client=client, body=done, if_match='"1"')
        assert (2, date(2026, 12, 31), "high") == (after.version, after.due, after.priority)
        late = tasks["patch"].sync_detailed(1, client=client, body=models.TaskEdit(due=None), if_match='"1"')
        assert (412, "precondition_failed", ["status"]) == (late.status_code, late.parsed.code, late.parsed.changed)
        assert after.to_dict()["status"] == late.parsed.current["status"]
        assert after == tasks["get"].sync(1, client=client)


def test_to_dos(tmp_path: Path, use: Any) -> None:
    """The paths of Todo-Backend have types with names of their own."""
    models, api = use("models"), "api.todos"
    with running(tmp_path, todo_backend="1") as service, use("client").Client(service.url) as client:
        todo = use(f"{api}.create_todo").sync(client=client, body=models.TodoCreate(title="Buy milk", order=5))
        edit = models.TodoEdit(completed=True)
        assert [use(f"{api}.patch_todo").sync(1, client=client, body=edit)] == use(f"{api}.list_todos").sync(
            client=client
        )
    assert (models.Todo, f"{service.url}/todos/1") == (type(todo), todo.url)


def test_calendars(tmp_path: Path, use: Any) -> None:
    """A calendar is made with its form, and shown with its URL once."""
    models, api = use("models"), "api.calendars"
    with running(tmp_path) as service, use("client").Client(service.url) as client:
        new = models.CalendarCreate(name="The shop", filter_="status=pending", as_=models.CalendarForm.TODO)
        made = use(f"{api}.create_calendar").sync(client=client, body=new)
        shown = use(f"{api}.get_calendar").sync(1, client=client)
        assert {**shown.to_dict(), "url": made.url} == made.to_dict()
        assert 200 == httpx2.get(service.url + made.url).status_code


def test_choices(use: Any) -> None:
    """The choices of a field have one type, for new tasks, for edits and for filters."""
    names = [name for name in dir(use("models")) if name.startswith(("Task", "ListTasks")) and "Status" in name]
    assert ["TaskStatus"] == names


def test_names(use: Any) -> None:
    """No class of an object is named after an operation. One has the name of its field, which may be anything."""
    names = [each for each in dir(use("models")) if "Response" in each or each.endswith("Body")]
    assert ["BulkResultBody"] == names


def test_the_example(tmp_path: Path, library: Path) -> None:
    """The lines of the README make a task and set it to done."""
    (example,) = re.findall(r"```python\n(from backroom_client.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    with running(tmp_path) as service:
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", example.replace(ADDRESS, service.url)],
            env={**environment(), "PYTHONPATH": str(library)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert "status=<TaskStatus.DONE: 'done'>" in ended.stdout


def test_lists(tmp_path: Path, use: Any) -> None:
    """Filters, order, pages and an object by id come through."""
    models, sort = use("models"), use("models").ListProductsSortItem
    with running(tmp_path, demo="1") as service, use("client").Client(service.url) as client:
        arguments = {"client": client, "limit": 1, "total": True, "pricelt": "20", "sort": [sort.PRICE_DESCENDING]}
        page = use("api.products.list_products").sync(**arguments, categoryin=["widgets", "gadgets"])
        assert ([3], 2, "Widget C") == (page.ids, page.total, page.products["3"].name)
        assert page.next_ is not None
        stock = models.StockChange(change=-3, reason="sold")
        refused = use("api.products.adjust_stock_of_product").sync(1, client=client, body=stock)
        assert "stock_not_tracked" == refused.code
        changes = use("api.changes.poll_changes").sync(client=client).changes
        assert [models.ProductChange] * 3 == [type(each) for each in changes]


@contextmanager
def mirroring(library: Path, url: str, folder: Path, key: str = "") -> Iterator[Iterator[dict[str, Any]]]:
    """Run the example as the README does; yield what it has in its file, each time that it says so."""
    program, script, *_ = shlex.split(line("python docs/mirror.py"))
    command = [sys.executable, str(ROOT / script), url, "mirror.json"]
    assert "python" == program
    env = {**environment(**({"key": key} if key else {})), "PYTHONPATH": str(library)}
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, text=True)

    def states() -> Iterator[dict[str, Any]]:
        for _ in process.stdout or ():
            yield json.loads((folder / "mirror.json").read_text())[0]

    with process:
        try:
            yield states()
        finally:
            process.kill()


def reach(states: Iterator[dict[str, Any]], service: Service) -> None:
    """Return once the mirror has what the service lists."""
    expected: dict[str, tuple[int, str]] = {}
    page = "/tasks?limit=1000"
    with service.client() as client:
        while page:
            document = client.get(page).json()
            expected |= {str(task["id"]): (task["version"], task["title"]) for task in document["tasks"]}
            page = document["next"]
    for state in states:
        if expected == {id: (task["version"], task["title"]) for id, task in state.items()}:
            return
    raise AssertionError("the mirror has ended")


def test_the_mirror(tmp_path: Path, library: Path) -> None:
    """The mirror follows writes, a killed service and its own death, and lists anew where its cursor has expired."""
    with running(tmp_path) as service, service.client() as person:
        port = service.url.rpartition(":")[2]
        for _ in range(2):  # more than one page
            bulk = [{"op": "create", "body": {"title": "Order paper"}}] * 1000
            person.post("/tasks/bulk", json={"operations": bulk})
        assert 0 == run(tmp_path, "backup", "before.db", store=f"sqlite:///{tmp_path}/backroom.db").returncode
        with mirroring(library, service.url, tmp_path) as states:
            assert 2000 == len(next(states))
            person.patch("/tasks/7", json={"title": "Order pens"})
            person.delete("/tasks/8")
            person.delete("/tasks/9")
            person.post("/tasks/9/restore")
            reach(states, service)
            service.kill()
            with running(tmp_path, port=port) as again, again.client() as client:
                client.post("/tasks", json={"title": "Sweep the floor"})
                reach(states, again)
    with running(tmp_path, port=port) as again, again.client() as client:
        client.delete("/tasks/1")  # while no mirror runs
        kept = (tmp_path / "mirror.json").read_text()
        (tmp_path / "mirror.json").write_text(kept.replace("Order pens", "as it was kept"))
        with mirroring(library, service.url, tmp_path) as states:
            state = next(states)
            assert (False, "as it was kept") == ("1" in state, state["7"]["title"])  # it goes on from its file
            again.stop()
            restored = f"sqlite:///{tmp_path}/restored.db"
            assert 0 == run(tmp_path, "restore", "before.db", "--to", restored).returncode
            with running(tmp_path, store=restored, port=port) as older:  # it never gave the mirror's cursor
                reach(states, older)


@pytest.mark.anyio
async def test_writes_while_the_mirror_lists(tmp_path: Path, library: Path) -> None:
    """What others write between two pages is in the mirror, and no task goes back to an earlier version."""
    with running(tmp_path) as service, service.client() as person:
        for number in (1000, 1):
            create = {"op": "create", "body": {"title": "Order paper"}}
            person.post("/tasks/bulk", json={"operations": [create] * number})
        async with relayed(service.url) as relay:
            relay.holds = b"GET /tasks"
            with mirroring(library, relay.url, tmp_path) as states:
                await relay.holding.wait()
                person.patch("/tasks/7", json={"title": "Order pens"})  # on the page that is held
                edits = [{"op": "update", "id": 1001, "body": {"title": f"Edit {number}"}} for number in range(150)]
                person.post("/tasks/bulk", json={"operations": edits})  # on the next one; more than one poll answers
                relay.release()
                relay.holds = b"GET /changes"  # or the file may have them before the list is read in it
                listed = await asyncio.to_thread(next, states)
                relay.release()
                followed = await asyncio.to_thread(next, states)
    assert [(1, 151), (2, 151)] == [(each["7"]["version"], each["1001"]["version"]) for each in (listed, followed)]


def test_the_mirror_with_a_key(tmp_path: Path, library: Path) -> None:
    """The mirror sends its key. Without a valid one it ends, and says why."""
    key = run(tmp_path, "keys", "create", "x", "--scope", "read", store=f"sqlite:///{tmp_path}/backroom.db").stdout
    with running(tmp_path) as service:
        with mirroring(library, service.url, tmp_path, key.strip()) as states:
            assert {} == next(states)
        ended = subprocess.run(
            [sys.executable, str(ROOT / "docs/mirror.py"), service.url, str(tmp_path / "other.json")],
            env={**environment(), "PYTHONPATH": str(library)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (1, "") == (ended.returncode, ended.stdout)
    assert "this needs a key" in ended.stderr
