"""A new entity takes what docs/adding-an-entity.md says, and nothing else: that is done to a copy of the source."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from adapters.mcp.service import Service
from adapters.mcp.toolbox import Toolbox
from tests.databases import Databases
from tests.e2e.service import running
from tests.e2e.test_cli import run
from tests.secrecy import MAY_HOLD

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "adding-an-entity.md"
DATABASE = "adding"
FIRST_VERB = "\n    def start(self"
REQUIRED = "REQUIRED: dict[EntityType[Any], dict[str, object]] = {\n"


def registered(file: Path, block: str) -> str:
    """Return the registration with the line of the document in place of its own."""
    text = file.read_text()
    return f"{text[: text.index('PUBLIC_TYPES:')]}{block}\n{text[text.index('CHANGE_TYPES') :]}"


def declared(file: Path, block: str) -> str:
    """Return the module of tasks with one more field, as the last."""
    text = file.read_text()
    assert FIRST_VERB in text
    return text.replace(FIRST_VERB, block + FIRST_VERB)


ADDED = {"domain/public_types.py": registered, "domain/task.py": declared}


@pytest.fixture
def blocks() -> dict[str, str]:
    """Return what the document puts into each file."""
    document = DOCUMENT.read_text()
    return dict(re.findall(r"`((?:domain|adapters)/[^`]+)`[^`]*\n\n```\w+\n(.*?)```", document, re.DOTALL))


@pytest.fixture(autouse=True)
def source(tmp_path: Path, blocks: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the programs that are started have what the document adds."""
    copy = tmp_path / "copy"
    for package in ("domain", "adapters", "entrypoints"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, block in blocks.items():
        (copy / name).write_text(ADDED.get(name, lambda _, block: block)(copy / name, block))
    monkeypatch.setenv("PYTHONPATH", str(copy))


@pytest.fixture
def memory() -> str:
    """Return the URL of the store in memory."""
    return "memory://"


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Return the URL of a file that is not there."""
    return f"sqlite:///{tmp_path}/new.db"


@pytest.fixture
def database(postgres: Databases) -> Iterator[str]:
    """Return the URL of a database with nothing in it."""
    asyncio.run(postgres.execute(f"CREATE DATABASE {DATABASE}"))
    yield postgres.server.dsn(DATABASE)
    asyncio.run(postgres.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)"))


def used(client: httpx2.Client) -> None:
    """Do with suppliers whatever can be done with any entity."""
    bulk = [{"op": "create", "body": body} for body in ({"name": "beta"}, {"name": "Acme", "email": "x@acme.example"})]
    assert 200 == client.post("/suppliers/bulk", json={"operations": bulk}).status_code
    assert 422 == client.post("/suppliers", json={"email": 1, "active": "yes"}).status_code
    assert '"2"' == client.patch("/suppliers/1", json={"active": False}, headers={"If-Match": '"1"'}).headers["etag"]
    client.delete("/suppliers/2")
    assert 200 == client.post("/suppliers/2/restore").status_code
    webhook = {"url": "http://127.0.0.1:9/", "types": ["supplier.created"], "enabled": False}
    assert 201 == client.post("/webhooks", json=webhook).status_code


def check(client: httpx2.Client) -> None:
    """Find all of that, by every way to look for it."""
    for query, ids in {"q=ACME": [2], "active=false": [1], "email[null]=true": [1], "name[lt]=b": [2]}.items():
        assert ids == [each["id"] for each in client.get(f"/suppliers?{query}").json()["suppliers"]], query
    for field in ("version", "created_at", "updated_at", "name", "email", "active"):
        for sort in (field, f"-{field}"):
            page = client.get(f"/suppliers?limit=1&sort={sort}").json()
            rest = client.get(page["next"]).json()
            assert {1, 2} == {each["id"] for each in page["suppliers"] + rest["suppliers"]}, sort
    assert [1, 2, 3] == [each["version"] for each in client.get("/suppliers/2/history").json()["history"]]
    changes = client.get("/changes?types=supplier.deleted,supplier.updated").json()["changes"]
    assert {("supplier.deleted", 2), ("supplier.updated", 1)} <= {(each["type"], each["id"]) for each in changes}


def test_the_copy_is_what_runs(tmp_path: Path, blocks: dict[str, str]) -> None:
    """Every file of the document was found, and the OpenAPI document of the copy has the new paths."""
    assert 7 == len(blocks)
    paths = json.loads(run(tmp_path, "openapi").stdout)["paths"]
    assert {f"/suppliers{rest}" for rest in ("", "/{id}", "/{id}/restore", "/{id}/history", "/bulk")} <= set(paths)


@pytest.mark.parametrize("kind", ["memory", "file", "database"])
def test_every_store_has_it(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store of today's source takes the new tables when it is served, and does with them what it does with others."""
    store: str = request.getfixturevalue(kind)
    with monkeypatch.context() as before:
        before.delenv("PYTHONPATH")
        with running(tmp_path, store=store) as service, service.client() as client:
            assert 404 == client.get("/suppliers").status_code
            assert "phone" not in client.post("/tasks", json={"title": "Call"}).json()
    with running(tmp_path, store=store, webhooks_allow_private="1") as service, service.client() as client:
        used(client)
        check(client)
        if kind != "memory":  # which starts anew
            assert client.get("/tasks/1").json()["phone"] is None
            assert [None] == [each["data"]["phone"] for each in client.get("/tasks/1/history").json()["history"]]
        client.post("/tasks", json={"title": "Call", "phone": "+49 30 1"})
        assert ["+49 30 1"] == [each["phone"] for each in client.get("/tasks?phone[null]=false").json()["tasks"]]


@pytest.mark.anyio
async def test_assistants_have_it(tmp_path: Path, file: str) -> None:
    """Assistants get tools for the new entity, with its fields, and the new field of tasks."""
    with running(tmp_path, store=file) as service:
        async with httpx2.AsyncClient() as client:
            toolbox = Toolbox(Service(service.url, client))
            tools = {tool.name: tool.schema["properties"] for tool in await toolbox.tools()}
            created = await toolbox.call(1, "create_supplier", {"name": "Acme"})
    assert {"name", "email", "active"} < set(tools["edit_supplier"])
    assert "phone" in tools["create_task"]
    assert 1 == created.document["supplier"]["id"]


def test_it_moves(tmp_path: Path, file: str, database: str) -> None:
    """It moves from a file to a database, and back into another file."""
    with running(tmp_path, store=file, webhooks_allow_private="1") as service, service.client() as client:
        used(client)
    for source, target in ((file, database), (database, f"sqlite:///{tmp_path}/back.db")):
        moved = run(tmp_path, "move", source, target)
        assert 0 == moved.returncode, moved.stderr
        with running(tmp_path, store=target) as service, service.client() as client:
            check(client)
            assert 3 == client.get("/suppliers/2").json()["version"]


def test_it_goes_out_and_in(tmp_path: Path, file: str) -> None:
    """It is exported and imported like any other."""
    with running(tmp_path, store=file, webhooks_allow_private="1") as service, service.client() as client:
        used(client)
    exported = run(tmp_path, "export", "suppliers", "--output", "suppliers.csv", store=file)
    assert 0 == exported.returncode, exported.stderr
    text = (tmp_path / "suppliers.csv").read_text()
    (tmp_path / "suppliers.csv").write_text(text.replace("beta", "gamma"))
    imported = run(tmp_path, "import", "suppliers", "suppliers.csv", "--match", "id", "--update", store=file)
    assert "0 created, 1 updated, 1 left as they are" in imported.stdout, imported.stderr
    again = run(tmp_path, "export", "suppliers", "--filter", "name=gamma&active=false", store=file)
    assert "gamma" == json.loads(again.stdout)["name"]


@pytest.mark.timeout(600)
def test_no_other_test_needs_a_change(tmp_path: Path) -> None:
    """The unit tests, those of opening a file, and the contract in memory pass with one entity and one field more."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    MAY_HOLD.update((copy / "tests").rglob("*.py"))  # whose examples have secrets of nobody
    for name in ("pyproject.toml", "README.md", "ARCHITECTURE.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, copy)
    builders = copy / "tests" / "builders.py"
    (line,) = re.findall(r"`REQUIRED` in `tests/builders.py`.*?```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    text = builders.read_text()
    assert REQUIRED in text
    imported = "from domain.supplier import SUPPLIER\n"
    builders.write_text(text.replace(REQUIRED, f"{imported}\n{REQUIRED}{line}"))
    for chosen in (["tests/unit", "tests/faults/test_opening.py"], ["tests/contract", "-k", "memory and not races"]):
        command = [sys.executable, "-m", "pytest", "-q", "--maxfail=9", "-p", "no:cacheprovider", *chosen]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=500, check=False)
        assert 0 == done.returncode, done.stdout[-5000:]
