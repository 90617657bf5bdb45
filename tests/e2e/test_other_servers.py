"""The application under a server that is not ours."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.service import environment

ENDS = 10


@pytest.fixture
def uvicorn(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve by plain uvicorn, and yield its process and its URL."""
    command = (sys.executable, "-m", "uvicorn", "--factory", "entrypoints.asgi:app", "--port", "0")
    made = environment(store=f"sqlite:///{tmp_path}/backroom.db")
    process = subprocess.Popen(command, env=made, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    line = next(line for line in process.stdout if "running on" in line)
    yield process, line.split("running on ")[1].split()[0]
    process.kill()
    process.communicate()


def test_streams_end_with_the_server(uvicorn: tuple[subprocess.Popen[str], str]) -> None:
    """A stream, which would go on for ever, ends when the server is asked to, and so lets it end."""
    process, url = uvicorn
    with httpx2.Client(base_url=url, timeout=30) as client:
        assert 201 == client.post("/tasks", json={"title": "Buy milk"}).status_code
        with client.stream("GET", "/changes/stream") as stream:
            lines = stream.iter_lines()
            while "task.created" not in next(lines):
                pass
            process.send_signal(signal.SIGTERM)
            assert [] == [line for line in lines if line.startswith("data:")]
    process.communicate(timeout=ENDS)


def test_no_log_has_the_url_of_a_calendar(uvicorn: tuple[subprocess.Popen[str], str]) -> None:
    """The other server's log of requests is off, because it would have the secret; ours has a line for each."""
    process, url = uvicorn
    with httpx2.Client(base_url=url) as client:
        path = client.post("/calendars", json={"name": "The shop"}).json()["url"]
        assert 200 == client.get(path).status_code
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=ENDS)
    assert " 200 GET /(secret) " in told
    assert path not in told
