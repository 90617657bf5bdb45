"""`backroom mcp`: an assistant's session over stdin and stdout, with a real service."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any, Literal

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.e2e.relay import relayed
from tests.e2e.service import command, environment, running
from tests.e2e.test_cli import run
from tests.mcp.assistant import Assistant

pytestmark = pytest.mark.anyio

Mode = Literal["auto", "legacy"]


@asynccontextmanager
async def session(url: str, folder: Path, *, key: str = "", mode: Mode = "auto") -> AsyncIterator[Assistant]:
    """Start `backroom mcp` and connect an assistant to it; what it writes to stderr goes to a file."""
    program, *arguments = command("mcp", "--url", url)
    env = {**environment(), **({"BACKROOM_KEY": key} if key else {})}
    with (folder / "stderr").open("a") as stderr:
        process = StdioServerParameters(command=program, args=arguments, env=env, cwd=folder)
        async with Client(stdio_client(process, errlog=stderr), mode=mode, read_timeout_seconds=60) as client:
            yield Assistant(client)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_sale_while_a_person_edits(tmp_path: Path, mode: Mode) -> None:
    """An assistant sells three of a product while a person edits it: both take effect, whoever is first."""
    with running(tmp_path) as service, service.client() as person:
        person.post("/products", json={"name": "Widget", "price": 9.99, "stock": 10})
        async with session(service.url, tmp_path, mode=mode) as assistant:
            (found,) = (await assistant.call("list_products", q="widget"))["products"]
            person.patch("/products/1", json={"price": 8.99}, headers={"If-Match": '"1"'})
            sold = await assistant.call("adjust_product_stock", id=found["id"], change=-3, reason="sold")
            assert (7, 8.99) == (sold["product"]["stock"], sold["product"]["price"])
            late = person.patch("/products/1", json={"price": 7.99}, headers={"If-Match": '"2"'})
            assert (412, ["stock"]) == (late.status_code, late.json()["changed"])
            refused = await assistant.refused("edit_product", id=1, version=found["version"], description="Three sold")
            assert {"base": 9.99, "theirs": 8.99} == refused["difference"]["price"]
            await assistant.follow(refused)
        product = person.get("/products/1").json()
        assert (7, 8.99, "Three sold") == (product["stock"], product["price"], product["description"])
        reasons = [each.get("reason") for each in person.get("/products/1/history").json()["history"]]
        assert [None, None, "sold", None] == reasons
    assert "" == (tmp_path / "stderr").read_text()


async def test_two_scopes(tmp_path: Path) -> None:
    """A key that may only read gets tools that read; the key is in no result, no message and no argument."""
    read, write = (
        run(
            tmp_path, "keys", "create", scope, "--scope", scope, store=f"sqlite:///{tmp_path}/backroom.db"
        ).stdout.strip()
        for scope in ("read", "write")
    )
    with running(tmp_path) as service:
        async with session(service.url, tmp_path, key=write) as assistant:
            assert 16 == len(await assistant.tools())
            shown = [str(await assistant.call("create_task", title="Order paper"))]
            shown.append(str(await assistant.call("list_changes")))
        async with session(service.url, tmp_path, key=read) as assistant:
            tools = await assistant.tools()
            assert 7 == len(tools)
            shown += [str(tools), str(await assistant.refused("create_task", title="x"))]
            assert 1 == (await assistant.call("list_tasks"))["count"]
        async with session(service.url, tmp_path) as assistant:
            with pytest.raises(MCPError, match="BACKROOM_KEY"):
                await assistant.tools()
    shown += [(tmp_path / "stderr").read_text(), *service.said]
    assert "BACKROOM_KEY" in shown[-1 - len(service.said)]
    assert [] == [text for text in shown if read in text or write in text]
    assert "'name': 'write'" in shown[1]  # the key's name, as the actor


async def test_the_service_is_killed(tmp_path: Path) -> None:
    """While the service is away a call says so; the same session goes on when it is back, and nothing is lost."""
    with running(tmp_path) as service:
        async with session(service.url, tmp_path) as assistant:
            await assistant.call("create_product", name="Widget", price=1, stock=5)
            service.kill()
            down = await assistant.refused("adjust_product_stock", id=1, change=-3)
            assert f"the service at {service.url} does not answer" == down["error"]["detail"]
            assert "no_answer" == (await assistant.refused("list_tasks"))["error"]["code"]
            with running(tmp_path, port=service.url.rpartition(":")[2]):
                assert 2 == (await assistant.follow(down))["product"]["stock"]
                assert 2 == (await assistant.call("get_product", id=1))["product"]["stock"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_cancelled_sale(tmp_path: Path, mode: Mode) -> None:
    """A call that is cancelled after the service carried it out takes effect once, when it is repeated."""
    with running(tmp_path) as service, service.client() as person:
        person.post("/products", json={"name": "Widget", "price": 1, "stock": 10})
        async with relayed(service.url) as relay, session(relay.url, tmp_path, mode=mode) as assistant:
            await assistant.tools()
            relay.holds = b""
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: assistant.result("adjust_product_stock", id=1, change=-3))
                await relay.holding.wait()
                tasks.cancel_scope.cancel()
            assert 7 == person.get("/products/1").json()["stock"]
            relay.release()
            again = await assistant.call("adjust_product_stock", id=1, change=-3)
            assert (7, True) == (again["product"]["stock"], again.get("replayed"))
            assert 4 == (await assistant.call("adjust_product_stock", id=1, change=-3))["product"]["stock"]


async def test_a_cancelled_wait(tmp_path: Path) -> None:
    """Waiting for a change can be cancelled, does not delay other calls, and ends with the change."""
    with running(tmp_path) as service, service.client() as person:
        async with session(service.url, tmp_path) as assistant:
            with anyio.move_on_after(0.2) as scope:
                await assistant.call("list_changes", after="now", wait=60)
            assert scope.cancelled_caught
            results = []
            async with anyio.create_task_group() as tasks:

                async def wait() -> None:
                    results.append(await assistant.call("list_changes", wait=60))

                tasks.start_soon(wait)
                assert [] == (await assistant.call("list_tasks"))["tasks"]
                person.post("/tasks", json={"title": "x"})
            assert ["task.created"] == [each["type"] for each in results[0]["changes"]]


def speak(process: subprocess.Popen[str], line: str) -> dict[str, Any]:
    """Send a line, and return the next message."""
    reader, writer = _pipes(process)
    writer.write(line + "\n")
    writer.flush()
    message: dict[str, Any] = json.loads(reader.readline())
    return message


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdout is not None
    assert process.stdin is not None
    return process.stdout, process.stdin


def request(id: int, method: str, **params: Any) -> str:
    """Return a request of the protocol."""
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params})


def test_the_wire(tmp_path: Path) -> None:
    """Stdout has one message a line and nothing else, whatever comes in; the end of stdin ends the program with 0."""
    info = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    titles = ["two\u2028lines\u0085here", "a\ud800b"]
    with running(tmp_path) as service:
        process = subprocess.Popen(
            command("mcp", "--url", service.url),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        with process:
            assert "2025-06-18" == speak(process, request(1, "initialize", **info))["result"]["protocolVersion"]
            reader, writer = _pipes(process)
            writer.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\nno JSON\n[1]\n\n')
            created = speak(process, request(2, "tools/call", name="create_task", arguments={"title": titles[0]}))
            assert (2, True) == (created["id"], created["result"]["isError"])  # no line may be broken in a title
            noted = {"title": "x", "notes": titles[0].replace("\u0085", "\n")}
            created = speak(process, request(3, "tools/call", name="create_task", arguments=noted))
            assert noted["notes"] == created["result"]["structuredContent"]["task"]["notes"]
            writer.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}\n')
            again = speak(process, request(7, "tools/call", name="create_task", arguments=noted))
            assert created["result"]["structuredContent"]["task"] == again["result"]["structuredContent"]["task"]
            infinite = request(4, "tools/call", name="create_product", arguments={"name": "x", "price": 0})
            refused = speak(process, infinite.replace('"price": 0', '"price": 1e999'))
            assert "not finite" in refused["result"]["content"][0]["text"]
            assert -32602 == speak(process, request(5, "tools/call", name="x"))["error"]["code"]
            assert 16 == len(speak(process, request(6, "tools/list"))["result"]["tools"])
            writer.close()
            assert "" == reader.read()
        assert 0 == process.returncode


def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends the program at once, though its stdin is open."""
    info = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    process = subprocess.Popen(
        command("mcp"), env=environment(), cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        speak(process, request(1, "initialize", **info))
        process.send_signal(signal.SIGINT)
        assert -signal.SIGINT == process.wait(timeout=30)


HIDDEN = """
import sys

class Hidden:
    def find_spec(self, name, *_):
        if name == {!r}:
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Hidden())
from entrypoints.cli import main
sys.exit(main(["mcp"]))
"""


@pytest.mark.parametrize("missing", ["mcp", "jsonschema"])
def test_without_the_extra(tmp_path: Path, missing: str) -> None:
    """Without the extra, the command names it and exits with 2."""
    ended = subprocess.run(
        [sys.executable, "-c", HIDDEN.format(missing)],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (2, "") == (ended.returncode, ended.stdout)
    assert "install backroom[mcp]" in ended.stderr
    assert 1 == len(ended.stderr.splitlines())


@pytest.mark.parametrize(
    ("arguments", "key", "said"),
    [
        (["--url", "localhost:8000"], "", "--url must be such as http://127.0.0.1:8000"),
        (["--url", "http://me:hush@localhost"], "", "--url must not name a user: the key belongs in BACKROOM_KEY"),
        (["--url", "http://localhost/?key=hush"], "", "--url must end with the path"),
        ([], "brm_hush", "BACKROOM_KEY is not a key"),
        ([], "hush\nx: y", "BACKROOM_KEY is not a key"),
        (["--key", "hush"], "", "No such option"),
    ],
)
def test_bad_usage(tmp_path: Path, arguments: list[str], key: str, said: str) -> None:
    """A bad URL or key is one line and exit code 2, without what may be secret in it."""
    ended = run(tmp_path, "mcp", *arguments, key=key)
    assert (2, "") == (ended.returncode, ended.stdout)
    assert said in ended.stderr
    assert "hush" not in ended.stderr


IMPORTED = "import sys; from entrypoints.cli import main; main({!r}); print(*sorted(sys.modules), file=sys.stderr)"


@pytest.mark.parametrize("arguments", [["--help"], ["mcp", "--help"], ["openapi"]])
def test_nobody_else_imports_it(tmp_path: Path, arguments: list[str]) -> None:
    """Only the command itself imports the protocol, so that the others start as fast as without it."""
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTED.format(arguments)],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set() == set(ended.stderr.split()) & {"mcp", "mcp_types", "pydantic", "jsonschema", "adapters.mcp"}
