"""A real subscriber: vdirsyncer keeps a folder in step with a calendar."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from icalendar import Calendar

from tests.secrecy import MAY_HOLD

PROGRAM = shutil.which("vdirsyncer")

_CONFIGURATION = """
[general]
status_path = "{folder}/status"

[pair shop]
a = "folder"
b = "calendar"
collections = null

[storage folder]
type = "filesystem"
path = "{folder}/tasks"
fileext = ".ics"

[storage calendar]
type = "http"
url = "{url}"
"""


def needed() -> str:
    """Return the program. Skips the test where there is none, but under CI, where it fails."""
    if PROGRAM is None:
        message = "there is no vdirsyncer, so no real program subscribes to a calendar: apt-get install vdirsyncer"
        assert os.environ.get("CI") != "true", message
        pytest.skip(message)
    return PROGRAM


@define
class Subscriber:
    """A folder that follows a calendar."""

    folder: Path
    program: str = field(factory=needed, init=False)

    def sync(self, url: str) -> list[str]:
        """Fetch the calendar at a URL, and return the days and titles in the folder, in order."""
        configuration = self.folder / "configuration"
        MAY_HOLD.add(configuration)
        configuration.write_text(_CONFIGURATION.format(folder=self.folder, url=url))
        (self.folder / "tasks").mkdir(exist_ok=True)
        for command in ("discover", "sync"):
            self._run("--config", str(configuration), command)
        return sorted(map(_item, (self.folder / "tasks").iterdir()))

    def _run(self, *arguments: str) -> None:
        command = [self.program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, input="")
        assert 0 == done.returncode, done.stdout + done.stderr
        assert "warning" not in done.stderr, done.stderr


def _item(file: Path) -> str:
    parsed: Any = Calendar.from_ical(file.read_bytes())
    (item,) = parsed.walk("VEVENT")
    return f"{item['DTSTART'].dt} {item['SUMMARY']}"
