"""What the service imports when it starts: nothing that only some requests, other stores or commands need."""

import re
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.e2e.service import Service, running

OF_SOME_REQUESTS = ("icalendar", "httpx2", "wsproto")
LATER = (*OF_SOME_REQUESTS, "asyncpg", "mcp", "jsonschema", "pydantic", "adapters.postgres", "adapters.memory")
COMMANDS = tuple(f"adapters.sqlite.{each}" for each in ("exporting", "importing", "inspecting", "examining"))


def imported(service: Service) -> set[str]:
    """Return the modules that were imported, as Python itself told by the end of the service."""
    lines = "".join(service.said).splitlines()
    found = (re.fullmatch(r"import time:\s+\d+ \|\s+\d+ \|\s+(\S+)", line) for line in lines)
    return {each[1] for each in found if each is not None}


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("/tasks", set()),
        ("/openapi.json", {"icalendar"}),
        ("calendar", {"icalendar"}),
        ("webhook", {"httpx2"}),
        ("socket", {"wsproto"}),
    ],
)
def test_only_what_is_needed_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, needed: set[str]
) -> None:
    """A start imports what every service needs; the library for calendars comes with the first, or with its example.

    The client of HTTP comes with the first webhook, whose address is looked up, and WebSockets with the first of them.
    """
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with running(tmp_path) as service, service.client() as client:
        url = client.post("/calendars", json={"name": "The shop"}).json()["url"]
        if path == "webhook":
            assert 422 == client.post("/webhooks", json={"url": "https://127.0.0.1/"}).status_code
        elif path == "socket":
            with connect(f"{service.url}/ws".replace("http", "ws", 1)) as follower:
                follower.recv()
        else:
            assert 200 == client.get(url if path == "calendar" else path).status_code
        assert 0 == service.stop()
    assert "adapters.sqlite.store" in imported(service)
    assert needed == imported(service) & {*LATER, *COMMANDS}
