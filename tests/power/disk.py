"""A disk in its own process, whose power can be cut; run as `python -m tests.power.disk FOLDER`.

Its own process prevents a deadlock between the disk and its users, and ends with the process that started it.
"""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from attrs import define

from tests.power.fuse import Mount
from tests.power.medium import Medium

ROOT = Path(__file__).parents[2]
ON, OFF = "on", "off"


class CannotMount(Exception):
    """This machine cannot mount the file system; the message says why."""


@define
class Disk:
    """A disk, mounted at a folder while its power is on."""

    folder: Path
    _process: "subprocess.Popen[str]"

    def switch_on(self) -> None:
        """Mount it as the last cut left it. Raises `CannotMount`."""
        self._ask(ON)

    def cut(self, share: float, seed: int) -> None:
        """Cut the power now; each unsynced piece survives with the probability `share`."""
        self._ask(f"{OFF} {share} {seed}")

    def _ask(self, order: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if answer != order:
            raise CannotMount(answer)


@contextmanager
def disk_at(folder: Path) -> Iterator[Disk]:
    """Yield a new disk, and remove it afterwards."""
    command = [sys.executable, "-m", "tests.power.disk", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Disk(folder, process)  # leaving closes its input, which ends it


def _obey(folder: Path) -> None:
    """Carry out the commands on standard input, until it ends."""
    medium = Medium()
    mount: Mount | None = None
    for order in sys.stdin:
        what, *rest = order.split()
        if what == ON:
            try:
                mount = Mount(medium, folder)
            except OSError as error:
                print(error, flush=True)
                continue
            Thread(target=mount.serve, daemon=True).start()
        elif mount is not None:
            share, chance = float(rest[0]), random.Random(int(rest[1]))
            mount.cut(lambda share=share, chance=chance: chance.random() < share)  # type: ignore[misc]
            mount = None
        print(order.strip(), flush=True)
    if mount is not None:
        mount.cut(lambda: False)


if __name__ == "__main__":
    _obey(Path(sys.argv[1]))
