"""A calendar, as a real program subscribes to it."""

from pathlib import Path

import httpx2

from tests.e2e.service import running
from tests.e2e.test_cli import run
from tests.e2e.vdirsyncer import Subscriber

TITLES = ["Buy milk, bread; and C:\\New", "Ü" * 100, "😀 last"]


def prepared(client: httpx2.Client) -> str:
    """Create three tasks and a calendar of the open ones, and return its URL."""
    for title in TITLES:
        assert 201 == client.post("/tasks", json={"title": title, "due": "2026-12-31", "notes": "a\n\nb"}).status_code
    sent = {"name": "The shop", "filter": "status[in]=pending,in_progress"}
    url: str = client.post("/calendars", json=sent).json()["url"]
    return url


def test_a_folder_follows_a_calendar(tmp_path: Path) -> None:
    """The folder has the tasks, then their edits. A task that is done or deleted leaves it, and can come back."""
    subscriber = Subscriber(tmp_path)
    with running(tmp_path) as service, service.client() as client:
        url = prepared(client)
        assert sorted(f"2026-12-31 {title}" for title in TITLES) == subscriber.sync(service.url + url)
        client.put("/tasks/1", json={"status": "done"})
        client.delete("/tasks/2")
        client.put("/tasks/3", json={"title": "edited", "due": "2027-01-01"})
        assert ["2027-01-01 edited"] == subscriber.sync(service.url + url)
        client.put("/tasks/1", json={"status": "pending"})
        assert [f"2026-12-31 {TITLES[0]}", "2027-01-01 edited"] == subscriber.sync(service.url + url)


def test_a_move_changes_nothing_for_subscribers(tmp_path: Path) -> None:
    """A moved store answers at the same URL with the same events, until the calendar is deleted there."""
    target = f"sqlite:///{tmp_path}/moved.db"
    with running(tmp_path) as service, service.client() as client:
        url = prepared(client)
        before = client.get(url).text.replace(service.url, "")
    assert 0 == run(tmp_path, "move", f"sqlite:///{tmp_path}/backroom.db", target).returncode
    with running(tmp_path, store=target) as service, service.client() as client:
        assert before == client.get(url).text.replace(service.url, "")
        client.delete("/calendars/1")
        assert 404 == client.get(url).status_code
        assert 0 == service.stop()
    written = "".join(service.said)
    assert " 404 GET /(secret) " in written
    assert url[15:-12] not in written


def test_a_backup_keeps_calendars(tmp_path: Path) -> None:
    """The URL of a calendar works at a restored store, where neither file holds the secret itself."""
    with running(tmp_path) as service, service.client() as client:
        url = prepared(client)
        before = client.get(url).text.replace(service.url, "")
        store = f"sqlite:///{tmp_path}/backroom.db"
        assert 0 == run(tmp_path, "backup", "copy.db", "--from", store).returncode
    again = f"sqlite:///{tmp_path}/again.db"
    assert 0 == run(tmp_path, "restore", "copy.db", "--to", again).returncode
    with running(tmp_path, store=again) as service, service.client() as client:
        assert before == client.get(url).text.replace(service.url, "")
    for file in tmp_path.glob("*.db*"):
        assert url[15:-12].encode() not in file.read_bytes()
