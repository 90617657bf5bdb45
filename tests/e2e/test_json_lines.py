"""With `BACKROOM_LOG=json`, every line of every command on stderr is one JSON object, however the command ends."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from entrypoints.cli import SECTIONS
from tests.e2e.service import command, environment

BAD_USAGE = 2

GOOD = [
    "keys create till --scope admin",
    "keys create short --scope read --expires 1d",
    "keys rotate 1",
    "keys revoke 2",
    "keys list",
    "doctor",
    "doctor --json",
    "openapi",
    "export tasks",
    "export all --output all.ndjson",
    "export tasks --json",
    "export tasks --output tasks.csv",
    "import tasks tasks.csv",
    "import tasks tasks.csv --dry-run --json",
    "verify",
    "verify --json",
    "backup copy.db",
    "backup again.db --json",
    "restore copy.db --to sqlite:///restored.db",
    "move sqlite:///store.db sqlite:///moved.db",
    "--version",
    "--help",
    "move --help",
]
"""In this order, in one folder."""

BAD = {
    "": BAD_USAGE,
    "nonsense": BAD_USAGE,
    "--bogus": BAD_USAGE,
    "serve --port http": BAD_USAGE,
    "serve --bogus": BAD_USAGE,
    "serve --host 0.0.0.0 --store memory://": BAD_USAGE,
    "serve --port 0 --store sqlite:///.": 1,
    "serve --port 0 --metrics 192.0.2.1:1": 1,
    "keys": BAD_USAGE,
    "keys create": BAD_USAGE,
    "keys create x --scope nobody": BAD_USAGE,
    "keys rotate 99": 1,
    "keys revoke 99": 1,
    "keys list --bogus": BAD_USAGE,
    "doctor --store x": BAD_USAGE,
    "doctor sqlite:///no-store.db": 1,
    "openapi extra": BAD_USAGE,
    "export": BAD_USAGE,
    "export nothing": BAD_USAGE,
    "export tasks --filter status=odd": BAD_USAGE,
    "export tasks --from sqlite:///no-store.db": 1,
    "export tasks --output missing/file.csv": 1,
    "import": BAD_USAGE,
    "import tasks missing.csv": 1,
    "import tasks no-store.db --format csv": 1,
    "import products wrong.csv": 1,
    "import products wrong.csv --json": 1,
    "mcp --bogus": BAD_USAGE,
    "mcp --url nonsense": BAD_USAGE,
    "verify no-store.db": 1,
    "backup": BAD_USAGE,
    "backup x.db --from sqlite:///no-store.db": 1,
    "backup no-store.db": BAD_USAGE,
    "restore missing.db": BAD_USAGE,
    "restore no-store.db --to sqlite:///y.db": 1,
    "move sqlite:///store.db": BAD_USAGE,
    "move sqlite:///store.db sqlite:///store.db": BAD_USAGE,
    "move sqlite:///no-store.db sqlite:///z.db": 1,
}


def run(folder: Path, *program: str, **settings: str) -> tuple[int, list[Any]]:
    """Run a program in a folder; return its exit code and the documents on its stderr."""
    made = environment(log="json", store="sqlite:///store.db", **settings)
    ended = subprocess.run(program, env=made, cwd=folder, capture_output=True, timeout=120, check=False)
    return ended.returncode, [json.loads(each) for each in ended.stderr.decode().splitlines()]


def test_commands_that_do_their_work(tmp_path: Path) -> None:
    """Notes and progress are objects too, and nothing among them is an error."""
    for each in GOOD:
        code, documents = run(tmp_path, *command(*each.split()))
        assert 0 == code, (each, documents)
        assert all(isinstance(document, dict) for document in documents), each
        assert {"error", "critical"} & {document.get("level") for document in documents} == set(), each
        told = {"message", "stage"} & {name for document in documents for name in document}
        assert told or each.split()[0] in ("keys", "doctor", "openapi", "--version", "--help") or "--" in each, each


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store in it, and with a file that is none."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "no-store.db").write_text("this is no store\n" * 1000)
    (folder / "wrong.csv").write_text("name,price\n,free\nWidget,-1\n")
    assert 0 == run(folder, *command("keys", "create", "k", "--scope", "admin"))[0]
    return folder


@pytest.mark.parametrize("arguments", BAD)
def test_commands_that_cannot(folder: Path, arguments: str) -> None:
    """An error is an object with a level, and bad usage is one too."""
    code, documents = run(folder, *command(*arguments.split()))
    assert BAD[arguments] == code, documents
    levels = {each["level"] for each in documents if "level" in each}
    assert {"": set(), "keys": {"info"}}.get(arguments, {"error"}) <= levels, documents


def test_every_command_is_here() -> None:
    """No command is forgotten, whether it works or not."""
    names = {name for section in SECTIONS.values() for name in section}
    works = {each.split()[0] for each in GOOD} | {
        "serve",
        "mcp",
    }  # which tests/e2e/test_diagnostics.py and tests/mcp run
    assert names <= works
    assert names <= {each.split()[0] for each in BAD if each}


INTERRUPTED = """
import sys
from entrypoints import cli
import entrypoints.commands.{module} as module
def interrupted(*_, **__): raise {error}
module.command.callback = interrupted
sys.exit(cli.main([{name!r}]))
"""


@pytest.mark.parametrize(
    ("error", "code", "level"), [("KeyboardInterrupt", 130, "error"), ("ValueError('two\\nlines')", 1, "critical")]
)
def test_interrupts_and_tracebacks(tmp_path: Path, error: str, code: int, level: str) -> None:
    """Ctrl-C leaves no empty line behind, and a traceback is part of one line."""
    program = INTERRUPTED.format(module="openapi", name="openapi", error=error)
    ended, documents = run(tmp_path, sys.executable, "-c", program)
    assert (code, [level]) == (ended, [each["level"] for each in documents])
    assert ("traceback" in documents[0]) == (level == "critical")


def test_text_is_as_it_was(tmp_path: Path) -> None:
    """Without JSON, a note is its text alone."""
    made = {**environment(store="sqlite:///store.db"), "PATH": os.environ["PATH"]}
    ended = subprocess.run(
        command("keys", "create", "till", "--scope", "admin"),
        env=made,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "made key 1, till, with scope admin; it is shown this once:\n" == ended.stderr
