"""The locks name exactly what is installed, by hash, and cover what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[2]
PIN = re.compile(
    r"^([a-z0-9-]+)==([^\s;]+)(?: ; [^\n]+?)? \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", re.MULTILINE
)


def lock(name: str) -> str:
    """Return the text of a lock without its comments."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)


def asked_for() -> dict[str, list[Requirement]]:
    """Return what pyproject.toml wants in each lock."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = settings["project"]["dependencies"] + settings["build-system"]["requires"]
    dev = runtime + settings["project"]["optional-dependencies"]["dev"]
    return {
        "requirements.lock": [Requirement(each) for each in runtime],
        "requirements-dev.lock": [Requirement(each) for each in dev],
    }


@pytest.mark.parametrize("name", asked_for())
def test_a_lock_holds_hashed_pins_only(name: str) -> None:
    """Every line of a lock belongs to an exact version with its hashes: no address, no option, no range."""
    assert "" == PIN.sub("", lock(name))


@pytest.mark.parametrize(("name", "requirements"), asked_for().items())
def test_a_lock_covers_pyproject(name: str, requirements: list[Requirement]) -> None:
    """Each requirement is locked at a version that it allows; otherwise `make lock` was forgotten."""
    pins = {match[1]: match[2] for match in PIN.finditer(lock(name))}

    assert [] == [str(each) for each in requirements if not each.specifier.contains(pins.get(each.name, "0"))]


def test_both_locks_agree() -> None:
    """What serves is what was tested: each of the runtime's pins is in the dev lock, hash for hash."""
    tested = {match[0].rstrip() for match in PIN.finditer(lock("requirements-dev.lock"))}

    assert [] == [match[0] for match in PIN.finditer(lock("requirements.lock")) if match[0].rstrip() not in tested]
