"""Acknowledged writes survive every end of the service."""

import threading
from pathlib import Path

import httpx2

from tests.e2e.service import Service, running

WRITERS = 8


def titles(service: Service) -> list[str]:
    """Return the title of every task, by walking the list to its end."""
    found: list[str] = []
    with service.client() as client:
        url: str | None = "/tasks?limit=1000"
        while url is not None:
            page = client.get(url).json()
            found += [task["title"] for task in page["tasks"]]
            url = page["next"]
    return found


class Writer(threading.Thread):
    """Creates tasks until the service is gone, and remembers which were acknowledged."""

    def __init__(self, service: Service, name: str, enough: threading.Event) -> None:
        super().__init__()
        self.service, self.prefix, self.enough = service, name, enough
        self.acknowledged: list[str] = []
        self.refused: list[int] = []

    def run(self) -> None:
        with self.service.client() as client:
            for number in range(100_000):
                title = f"{self.prefix}-{number}"
                try:
                    answer = client.post("/tasks", json={"title": title})
                except httpx2.TransportError:
                    return
                if answer.status_code == 201:
                    self.acknowledged.append(title)
                else:
                    self.refused.append(answer.status_code)
                if number == 100:
                    self.enough.set()


def started(service: Service) -> list[Writer]:
    """Start writers, and return once one of them has written a while."""
    enough = threading.Event()
    writers = [Writer(service, f"w{number}", enough) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    assert enough.wait(60)
    return writers


def joined(writers: list[Writer]) -> set[str]:
    """Return what all writers were acknowledged, once all have ended."""
    for writer in writers:
        writer.join()
    return {title for writer in writers for title in writer.acknowledged}


def test_restart_keeps_everything(tmp_path: Path) -> None:
    """A service that is stopped and started again answers the same entity with the same tag."""
    with running(tmp_path) as service, service.client() as client:
        created = client.post("/tasks", json={"title": "Stay", "due": "2026-12-31", "notes": "a\nb"})
        assert 0 == service.stop()
    with running(tmp_path) as service, service.client() as client:
        again = client.get(created.headers["location"])
        assert (created.json(), created.headers["etag"]) == (again.json(), again.headers["etag"])


def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """After kill -9 under load, every task that was answered with 201 is there, and none twice."""
    with running(tmp_path) as service:
        writers = started(service)
        service.kill()
        acknowledged = joined(writers)
    with running(tmp_path) as service:
        kept = titles(service)
    assert set() == acknowledged - set(kept)
    assert len(kept) == len(set(kept))


def test_sigterm_answers_what_was_accepted(tmp_path: Path) -> None:
    """A service that is told to end under load exits with 0 and has all that it acknowledged, and hardly more."""
    with running(tmp_path) as service:
        writers = started(service)
        assert 0 == service.stop()
        acknowledged = joined(writers)
        assert [] == [status for writer in writers for status in writer.refused if status != 503]
    with running(tmp_path) as service:
        kept = set(titles(service))
    assert set() == acknowledged - kept
    # What was accepted was answered: at most the requests that were on their way when the sockets closed are unknown.
    assert len(kept - acknowledged) <= WRITERS


def test_ids_are_not_given_again_after_a_restart(tmp_path: Path) -> None:
    """The id of the newest task, deleted before a restart, is not the next task's."""
    with running(tmp_path) as service, service.client() as client:
        first = client.post("/tasks", json={"title": "Gone"}).json()["id"]
        client.delete(f"/tasks/{first}")
        service.stop()
    with running(tmp_path) as service, service.client() as client:
        assert first + 1 == client.post("/tasks", json={"title": "New"}).json()["id"]


def test_replay_after_a_kill(tmp_path: Path) -> None:
    """The same key and request get the first answer, byte for byte, from another process after a kill."""
    key = {"Idempotency-Key": "once"}
    with running(tmp_path) as service, service.client() as client:
        first = client.post("/tasks", json={"title": "Once"}, headers=key)
        service.kill()
    with running(tmp_path) as service, service.client() as client:
        again = client.post("/tasks", json={"title": "Once"}, headers=key)
        assert (201, first.content, "true") == (
            again.status_code,
            again.content,
            again.headers["idempotency-replayed"],
        )
        assert ["Once"] == titles(service)


def test_workers_share_one_file(tmp_path: Path) -> None:
    """Two worker processes on one file lose nothing, and exit together with 0."""
    with running(tmp_path, workers="2") as service:
        with service.client() as client:
            made = [client.post("/tasks", json={"title": f"t{number}"}).json()["id"] for number in range(50)]
        assert list(range(1, 51)) == made
        assert 50 == len(titles(service))
        assert 0 == service.stop()
