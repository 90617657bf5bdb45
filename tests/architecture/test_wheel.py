"""The wheel installs the program, and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("domain", "adapters", "entrypoints")


def written(folder: Path) -> set[str]:
    """Name the files of the three packages that somebody wrote."""
    return {
        str(path.relative_to(folder))
        for package in PACKAGES
        for path in (folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_three_packages(tmp_path: Path) -> None:
    """The wheel has every file of the packages, migrations, static files and `py.typed` too, and only its own data."""
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, tmp_path)
    expected = written(tmp_path)
    assert {"adapters/sqlite/migrations/0001_initial.sql", "adapters/http/static/style.css"} <= expected
    assert {f"{package}/py.typed" for package in PACKAGES} <= expected

    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-qq",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        "dist",
        ".",
    ]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)

    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    assert expected == {name for name in names if ".dist-info/" not in name}
