"""A disk whose power can be cut, where the machine allows one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.power.disk import CannotMount, Disk, disk_at


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Yield a new disk that is switched off, or skip with a clear warning."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with disk_at(folder) as disk:
        try:
            disk.switch_on()
        except CannotMount as reason:
            pytest.skip(f"NO POWER WAS CUT: mounting a file system takes Linux, root and /dev/fuse: {reason}")
        disk.cut(0.0, 0)
        yield disk
