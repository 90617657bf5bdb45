"""Power cuts of the real service while clients write, and a check of all acknowledged writes."""

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
"""The service with a short write-ahead log, which it checkpoints all the time."""

NORMAL = (*_SERVED, "NORMAL", "4000")
"""The control: the service acknowledges before it syncs."""

WRITERS = 8
SHARES = (0.0, 0.0, 0.5, 0.95)
"""The share of unsynced data that survives a cut: mostly none, else a random half, or nearly all."""

CUTS_A_STORE = 10
"""After so many cuts a new store begins, so that its first moments are cut, too."""


class Countdown:
    """Lets one thread wait until others have noted so many acknowledgements."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._reached = threading.Event()
        self._turn = threading.Lock()
        self.noted = 0

    def note(self) -> None:
        """Count one more."""
        with self._turn:
            self.noted += 1
            if self.noted >= self._count:
                self._reached.set()

    def wait(self) -> None:
        """Return once the count is reached."""
        assert self._reached.wait(60)


class Writer(threading.Thread):
    """Creates, edits and deletes tasks until the service is gone, and notes the acknowledged writes."""

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
        if answer.status_code != success:  # 503: the service has already noticed the lost disk
            return False
        entity = answer.json()
        entity = entity.get("deleted", entity)
        self.acknowledged[entity["id"]] = entity["version"]
        self._enough.note()
        return True


@define
class Tally:
    """The results of some cuts."""

    cuts: int = 0
    acknowledged: int = 0
    lost: int = 0
    stores: int = 0


@define
class Trial:
    """A service on a disk whose power is cut repeatedly."""

    disk: Disk
    folder: Path  # the working folder of the service, on a durable disk
    programs: Sequence[Sequence[str]] = (PROGRAM, SHORT_LOG)  # one for each store in turn
    shares: Sequence[float] = SHARES
    chance: random.Random = field(factory=random.Random)
    tally: Tally = field(factory=Tally)
    _store: Path = field(default=Path(), init=False)
    _promised: dict[int, int] = field(factory=dict, init=False)

    def run(self, cuts: int) -> Tally:
        """Cut so many times; return the results."""
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
        """Start the service on the disk after the last cut, count lost writes, and end it afterwards."""
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
        """Let clients write, cut the power meanwhile, and note the acknowledged writes."""
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
    """Return the last change of each task; check that the log has every version once."""
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
