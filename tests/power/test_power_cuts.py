"""Power cuts under load: no acknowledged write is lost. `make power` cuts 200 times."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.e2e.service import PROGRAM
from tests.power.cutting import NORMAL, SHORT_LOG, Trial
from tests.power.disk import Disk

CUTS = 2


def test_the_disk_keeps_what_was_synced(disk: Disk) -> None:
    """After a cut a file is there if the program synced it and its folder, and lost if not."""
    disk.switch_on()
    write(disk.folder / "synced", "os.fsync(file.fileno()); os.fsync(os.open(os.path.dirname(sys.argv[1]), 0))")
    write(disk.folder / "unsynced", "pass")
    assert {"synced", "unsynced"} == {each.name for each in disk.folder.iterdir()}
    disk.cut(0.0, 0)
    assert [] == list(disk.folder.iterdir())
    disk.switch_on()
    assert [("synced", "text")] == [(each.name, each.read_text()) for each in disk.folder.iterdir()]


def write(path: Path, then: str) -> None:
    """Let a process write a file."""
    program = f"import os, sys\nwith open(sys.argv[1], 'w') as file:\n    file.write('text'); file.flush(); {then}"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)


@pytest.mark.parametrize(("share", "program"), [(0.0, PROGRAM), (0.5, SHORT_LOG), (0.95, SHORT_LOG)])
def test_nothing_acknowledged_is_lost(disk: Disk, tmp_path: Path, share: float, program: Sequence[str]) -> None:
    """After power cuts during writes, even the first ones, the service has all acknowledged writes."""
    tally = Trial(disk, tmp_path, programs=[program], shares=(share,), chance=Random(4)).run(CUTS)
    assert (CUTS, 0) == (tally.cuts, tally.lost)
    assert tally.acknowledged >= CUTS


def test_without_a_sync_much_is_lost(disk: Disk, tmp_path: Path) -> None:
    """The service with `synchronous=NORMAL` loses acknowledged writes, which proves that the cuts are real."""
    tally = Trial(disk, tmp_path, programs=[NORMAL], shares=(0.0,), chance=Random(4)).run(2)
    assert 0 < tally.lost <= tally.acknowledged
