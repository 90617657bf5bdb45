"""Power cuts of the real service while clients write, and what is left of what it had acknowledged."""

import random
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from attrs import define, field

from tests.e2e.service import PROGRAM, Service, running
from tests.power.disk import Disk

_SERVED = (sys.executable, str(Path(__file__).with_name("served.py")))
SHORT_LOG = (*_SERVED, "FULL", "50")
"""The service, but what is in its log is copied to its place all the time."""

NORMAL = (*_SERVED, "NORMAL", "4000")
"""The control: the service, but what it acknowledges is not synced yet."""

WRITERS = 8
SHARES = (0.0, 0.0, 0.5, 0.95)
"""How much of what was not synced survives a cut: most often nothing, else any half of it, or nearly all."""

CUTS_A_STORE = 10
"""After so many a new store is made, so that its first moments are cut too."""


class Countdown:
    """Lets one wait until so much was acknowledged, however many threads note it."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._reached = threading.Event()
        self._turn = threading.Lock()
        self.noted = 0

    def note(self) -> None:
        """Note one more."""
        with self._turn:
            self.noted += 1
            if self.noted >= self._count:
                self._reached.set()

    def wait(self) -> None:
        """Return once it is enough."""
        assert self._reached.wait(60)


class Writer(threading.Thread):
    """Creates, edits and deletes tasks until the service is gone, and remembers what was acknowledged."""

    def __init__(self, service: Service, enough: Countdown) -> None:
        super().__init__()
        self._service, self._enough = service, enough
        self.acknowledged: dict[int, int] = {}  # the version of each task

    def run(self) -> None:
        with self._service.client() as client:
            try:
                while True:
                    self._write(client)
            except httpx2.TransportError:  # the power is off
                pass

    def _write(self, client: httpx2.Client) -> None:
        answer = client.post("/tasks", json={"title": "Write", "notes": "x" * random.randrange(6000)})
        if self._note(answer, 201):
            task = f"/tasks/{answer.json()['id']}"
            self._note(client.put(task, json={"status": "done"}), 200)
            if random.random() < 0.2:
                self._note(client.delete(task), 200)

    def _note(self, answer: httpx2.Response, success: int) -> bool:
        if answer.status_code != success:  # 503: the disk is gone, and the service knows it already
            return False
        entity = answer.json()
        entity = entity.get("deleted", entity)
        self.acknowledged[entity["id"]] = entity["version"]
        self._enough.note()
        return True


@define
class Tally:
    """What came of some cuts."""

    cuts: int = 0
    acknowledged: int = 0
    lost: int = 0
    stores: int = 0


@define
class Trial:
    """A service on a disk whose power is cut again and again."""

    disk: Disk
    folder: Path  # where the service is started, on a disk that stays
    programs: Sequence[Sequence[str]] = (PROGRAM, SHORT_LOG)  # of one store after the other
    shares: Sequence[float] = SHARES
    chance: random.Random = field(factory=random.Random)
    tally: Tally = field(factory=Tally)
    _store: Path = field(default=Path(), init=False)
    _promised: dict[int, int] = field(factory=dict, init=False)

    def run(self, cuts: int) -> Tally:
        """Cut so many times, and return what came of it."""
        while self.tally.cuts < cuts:
            self.tally.stores += 1
            self._store = self.disk.folder / f"data{self.tally.stores}" / "backroom.db"
            self._promised = {}
            for _ in range(min(CUTS_A_STORE, cuts - self.tally.cuts)):
                with self._served() as service:
                    self._cut(service)
            with self._served() as service:
                assert 0 == service.stop()
                self.disk.cut(0.0, 0)
            with self._served():
                self.disk.cut(0.0, 0)
        return self.tally

    @contextmanager
    def _served(self) -> Iterator[Service]:
        """Start the service on what the last cut has left, count what is not there, and end it afterwards."""
        self.disk.switch_on()
        with running(
            self.folder, program=self.programs[self.tally.stores % len(self.programs)], store=f"sqlite:///{self._store}"
        ) as service:
            with service.client() as client:
                log, tasks = logged(client), listed(client)
            assert tasks == {id: last["data"] for id, last in log.items() if last["type"] != "task.deleted"}
            there = {id: last["version"] for id, last in log.items()}
            self.tally.lost += sum(max(0, version - there.get(id, 0)) for id, version in self._promised.items())
            self._promised = there
            yield service

    def _cut(self, service: Service) -> None:
        """Let clients write, cut the power while they do, and note what they were told until then."""
        enough = Countdown(self.chance.randrange(1, 400))
        writers = [Writer(service, enough) for _ in range(WRITERS)]
        for each in writers:
            each.start()
        enough.wait()
        self.disk.cut(self.chance.choice(self.shares), self.chance.randrange(1 << 30))
        service.kill()
        for each in writers:
            each.join()
            self._promised |= each.acknowledged
        self.tally.cuts += 1
        self.tally.acknowledged += enough.noted


def logged(client: httpx2.Client) -> dict[int, dict[str, Any]]:
    """Return the last change of each task; between them the log must have every version, once."""
    last: dict[int, dict[str, Any]] = {}
    for change in _walked(client, "/changes?limit=1000", "changes"):
        before = last.get(change["id"])
        assert change["version"] == (1 if before is None else before["version"] + 1)
        last[change["id"]] = change
    return last


def listed(client: httpx2.Client) -> dict[int, dict[str, Any]]:
    """Return every task."""
    tasks = list(_walked(client, "/tasks?limit=1000", "tasks"))
    found = {task["id"]: task for task in tasks}
    assert len(tasks) == len(found)
    return found


def _walked(client: httpx2.Client, url: str, name: str) -> Iterator[dict[str, Any]]:
    while url:
        answer = client.get(url).raise_for_status().json()
        yield from answer[name]
        if name == "changes":
            url = f"/changes?limit=1000&after={answer['cursor']}" if answer[name] else ""
        else:
            url = answer["next"] or ""
