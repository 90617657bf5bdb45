"""The repository works on any machine: no file in it names a folder of one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MADE_HERE = {"build", "data", "__pycache__"}

# Folders that exist, or may be written to, only on somebody's machine.
FOLDERS = ("home", "mnt", "opt", "private", "root", "srv", "tmp", "Users", "work")
INSTALLED = "/opt/backroom"  # the folder that the operators' page installs the service into
MACHINE_PATH = re.compile(rf"(?<![\w.-])/(?:{'|'.join(FOLDERS)})/\w|\b[A-Z]:\\\w")


def sources(folder: Path) -> Iterator[Path]:
    """Yield each file below `folder` that somebody wrote: neither hidden, but for `.ci`, nor made by a tool."""
    for path in sorted(folder.iterdir()):
        if path.name in MADE_HERE or path.suffix == ".egg-info" or (path.name.startswith(".") and path.name != ".ci"):
            continue
        if path.is_dir():
            yield from sources(path)
        else:
            yield path


def machine_paths(folder: Path) -> list[str]:
    """Return each line below `folder` that names a machine's path, as `file: line`."""
    return [
        f"{source.relative_to(folder)}: {line.strip()}"
        for source in sources(folder)
        for line in source.read_text(encoding="utf-8", errors="ignore").splitlines()
        if MACHINE_PATH.search(line.replace(INSTALLED, ""))
    ]


def test_no_source_names_a_machine_path() -> None:
    """No file of the repository names a folder that exists on one machine only."""
    assert [] == machine_paths(REPOSITORY)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("before", ["", "cd ", '"', "sqlite:///"])
def test_a_machine_path_is_found(folder: str, before: str, tmp_path: Path) -> None:
    """A machine's path is reported, with the file and the line that names it."""
    line = f"{before}/{folder}/shop"
    (tmp_path / "notes.md").write_text(f"first\n{line}\n", encoding="utf-8")

    assert [f"notes.md: {line}"] == machine_paths(tmp_path)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(
    "line", ["build/{}/x", "./{}/x", "/tasks/7", "sqlite:////var/lib/backroom.db", "https://a.example/{}/x"]
)
def test_other_paths_are_left_alone(line: str, folder: str, tmp_path: Path) -> None:
    """A route, an address or a relative path is not a machine's path."""
    (tmp_path / "notes.md").write_text(line.format(folder), encoding="utf-8")

    assert [] == machine_paths(tmp_path)
