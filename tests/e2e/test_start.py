"""What the service imports when it starts: nothing that only some requests, other stores or commands need."""

import re
from pathlib import Path

import pytest

from tests.e2e.service import Service, running

LATER = ("icalendar", "asyncpg", "mcp", "jsonschema", "pydantic", "adapters.postgres", "adapters.memory")
COMMANDS = tuple(f"adapters.sqlite.{each}" for each in ("exporting", "importing", "inspecting", "examining"))


def imported(service: Service) -> set[str]:
    """Return the modules that were imported, as Python itself told by the end of the service."""
    lines = "".join(service.said).splitlines()
    found = (re.fullmatch(r"import time:\s+\d+ \|\s+\d+ \|\s+(\S+)", line) for line in lines)
    return {each[1] for each in found if each is not None}


@pytest.mark.parametrize(
    ("path", "needed"),
    [("/tasks", set()), ("/openapi.json", {"icalendar"}), ("calendar", {"icalendar"})],
)
def test_only_what_is_needed_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, needed: set[str]
) -> None:
    """A start imports what every service needs; the library for calendars comes with the first, or with its example."""
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with running(tmp_path) as service, service.client() as client:
        url = client.post("/calendars", json={"name": "The shop"}).json()["url"]
        assert 200 == client.get(url if path == "calendar" else path).status_code
        assert 0 == service.stop()
    assert "adapters.sqlite.store" in imported(service)
    assert needed == imported(service) & {*LATER, *COMMANDS}
