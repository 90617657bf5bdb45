"""The import-linter contracts of pyproject.toml hold, and each of them is able to fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = {"domain", "adapters", "entrypoints"}
LAYERS = "Entrypoints know adapters, adapters know the domain, the domain knows nobody"
INDEPENDENCE = "Adapters never import each other, and all may import how things are written"

BREACHES = [
    ("domain/broken.py", "import adapters.http", LAYERS),
    ("domain/broken.py", "import entrypoints", LAYERS),
    ("adapters/memory/broken.py", "import entrypoints", LAYERS),
    ("adapters/http/broken.py", "import adapters.sqlite", INDEPENDENCE),
    ("adapters/postgres/broken.py", "import adapters.memory", INDEPENDENCE),
    ("adapters/serialization/broken.py", "import adapters.http", INDEPENDENCE),
    ("adapters/mcp/broken.py", "import adapters.http", INDEPENDENCE),
    ("adapters/newcomer.py", "import adapters.webhooks", INDEPENDENCE),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages and their settings, to be broken."""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts on the packages that are in `folder`."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_contracts_hold(copy: Path) -> None:
    """The packages as they stand keep every contract."""
    result = lint(copy)

    assert 0 == result.returncode, result.stdout + result.stderr
    assert f"{LAYERS} KEPT" in result.stdout
    assert f"{INDEPENDENCE} KEPT" in result.stdout


@pytest.mark.parametrize(("file", "text", "contract"), BREACHES)
def test_a_breach_is_found(copy: Path, file: str, text: str, contract: str) -> None:
    """One import in the wrong direction breaks the contract that forbids it."""
    (copy / file).write_text(text, encoding="utf-8")

    result = lint(copy)

    assert 0 != result.returncode
    assert f"{contract} BROKEN" in result.stdout, result.stdout + result.stderr


def test_the_hexagon_is_the_whole_program() -> None:
    """No fourth package stands beside the three, but the tests and an example in the documents."""
    assert PACKAGES == {each.parent.name for each in REPOSITORY.glob("*/*.py")} - {"tests", "docs"}
