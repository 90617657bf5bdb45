"""Messages on stderr: with `BACKROOM_LOG=json`, every line is one JSON object, whatever happens."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from select import PIPE_BUF
from typing import Any

import pytest

from entrypoints.diagnostics import STDERR
from tests.e2e.service import command, environment, running

TIMEOUT = 60

FAULTS = {
    "the end of the program": "raise ValueError('ünforeseen\\n')",
    "the end of a thread": "import threading; t = threading.Thread(target=int, args=('x',)); t.start(); t.join()",
    "an error that nobody can catch": "type('Odd', (), {'__del__': lambda self: 1 // 0})()",
    "a warning": "import warnings; warnings.simplefilter('default'); warnings.warn('old', DeprecationWarning)",
    "a task that nobody waits for": "import asyncio, gc\nasync def f(): raise ValueError\n"
    "async def main():\n  asyncio.create_task(f()); await asyncio.sleep(0); await asyncio.sleep(0); gc.collect()\n"
    "asyncio.run(main())",
    "what another library logs": "import logging; logging.getLogger('uvicorn.error').error('two\\nlines')",
    "what is no Unicode": "import logging; logging.getLogger('backroom').error('%s', '\\udcff')",
    "a worker": "from entrypoints.workers import _start; _start(lambda slot, is_first: 1 // 0, 0, True).join()",
}


def said(lines: Iterable[str]) -> list[Any]:
    """Return the document of each line."""
    return [json.loads(each) for each in lines]


def failed(folder: Path, *program: str, **settings: str) -> list[Any]:
    """Return the output of a program that ended by itself with a failure."""
    made = environment(log="json", **settings)
    ended = subprocess.run(program, env=made, cwd=folder, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
    assert ended.returncode != 0
    return said(ended.stderr.decode().splitlines())


def test_every_line_of_a_service(tmp_path: Path) -> None:
    """From what is wrong with its settings, over where it listens and the requests, to the end."""
    with running(tmp_path, log="json", workers="2", stroe="x") as service:
        for path in ("/tasks", "/nope"):
            with service.client() as client:
                client.get(path)
        assert 0 == service.stop()
    documents = said(service.said)
    messages = [(each["level"], each["message"]) for each in documents if "message" in each]
    expected = [
        ("warning", "BACKROOM_STROE is not a setting, and is ignored"),
        ("info", f"listening on {service.url} with sqlite:///{tmp_path}/backroom.db"),
    ]
    assert expected == messages
    assert {"/tasks", "/nope"} == {each["path"] for each in documents if "message" not in each}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each["at"]) for each in documents)


@pytest.mark.parametrize(
    ("arguments", "settings", "expected"),
    [
        (["serve"], {"port": "http"}, "BACKROOM_PORT must be a whole number"),
        (["serve", "--bogus"], {}, "No such option '--bogus'"),
        (["serve"], {"host": "192.0.2.1", "open": "1"}, "cannot listen on http://192.0.2.1:"),
        (["serve", "--port", "0"], {"store": "sqlite:///."}, "such as sqlite:////"),
        (["serve", "--port", "0"], {"store": "sqlite:///.", "workers": "2"}, "such as sqlite:////"),
    ],
)
def test_what_keeps_it_from_starting(
    tmp_path: Path, arguments: list[str], settings: dict[str, str], expected: str
) -> None:
    """Every error is JSON too."""
    documents = failed(tmp_path, *command(*arguments), **settings)
    assert any(expected in each["message"] for each in documents), documents
    assert {"error"} == {each["level"] for each in documents}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_nobody_foresaw(tmp_path: Path, fault: str) -> None:
    """A traceback is part of the line that tells of it."""
    program = f"from entrypoints.diagnostics import speak; speak('json')\n{FAULTS[fault]}\nraise SystemExit(1)"
    documents = failed(tmp_path, sys.executable, "-c", program)
    assert documents
    for each in documents:
        assert {"at", "level", "message"} <= set(each) <= {"at", "level", "message", "traceback"}
        assert "traceback" not in each or each["traceback"].startswith("Traceback (")


def test_a_flag_counts_too(tmp_path: Path) -> None:
    """`--log json` says the same as the variable, and counts before it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = ("serve", "--port", str(taken.getsockname()[1]), "--log")
        text, document = (
            subprocess.run(
                command(*arguments, log),
                env=environment(log=other),
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            ).stderr
            for log, other in (("text", "json"), ("json", "text"))
        )
    assert text.startswith("backroom: cannot listen on ")
    assert json.loads(document)["message"].startswith("cannot listen on ")


def test_lines_of_other_processes_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """One write has whole lines, as many as a pipe takes in one piece; a longer line is written alone."""
    pieces: list[bytes] = []
    monkeypatch.setattr(os, "write", accepting(pieces.append))
    lines = [f"{number}\n" * 300 for number in range(10)] + ["x" * 2 * PIPE_BUF + "\n", "\udcff\n", "no end"]
    STDERR.write("".join(lines))
    assert "".join(lines).encode(errors="backslashreplace") == b"".join(pieces)
    assert all(len(each) <= PIPE_BUF or each.count(b"\n") == 1 for each in pieces)
    assert all(each.endswith(b"\n") for each in pieces[:-1])


def test_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output that nobody can read any more does not end the process, and is not tried again."""
    tried: list[bytes] = []

    def broken(data: bytes) -> None:
        tried.append(data)
        raise BrokenPipeError

    monkeypatch.setattr(os, "write", accepting(broken))
    STDERR.write("a\n")
    assert [b"a\n"] == tried


def accepting(take: Callable[[bytes], None]) -> Callable[[int, bytes], int]:
    """Return what writes to stderr by having it taken."""

    def write(fd: int, data: bytes) -> int:
        assert 2 == fd
        take(data)
        return len(data)

    return write
