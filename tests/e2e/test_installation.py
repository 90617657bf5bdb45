"""The program wants an environment of its own, and says so where it has none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = {
    "script": [str(Path(sys.executable).with_name("backroom"))],
    "module": [sys.executable, "-m", "entrypoints"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("package", ["domain", "adapters", "entrypoints"])
def test_a_package_of_the_same_name_is_refused(command: list[str], package: str, tmp_path: Path) -> None:
    """Beside another distribution that provides one of its packages, the command ends, and names both."""
    metadata = tmp_path / "jupytext_2-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: jupytext-2\nVersion: 1.0\n")
    (metadata / "top_level.txt").write_text(f"{package}\n")

    ended = run(command, tmp_path)

    assert 1 == ended.returncode
    reason = (
        f"the package {package} is provided by jupytext-2 too; install backroom into a virtual environment of its own"
    )
    assert f"backroom: {reason}\n" == ended.stderr


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_an_environment_of_its_own_is_fine(command: list[str], tmp_path: Path) -> None:
    """Where no other distribution provides its packages, the command runs."""
    assert 0 == run(command, tmp_path).returncode


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask for the version, with the distributions of a folder beside those of this environment."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    root = Path(__file__).parents[2]
    return subprocess.run(
        [*command, "--version"], env=environment, capture_output=True, text=True, check=False, cwd=root
    )
