"""The locks name exactly what is installed, by hash, and cover what pyproject.toml asks for."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
    extras = settings["project"]["optional-dependencies"]
    dev = runtime + extras["dev"] + extras["mcp"]
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
    """The tests run the served versions: each of the runtime's pins is in the dev lock, hash for hash."""
    tested = {match[0].rstrip() for match in PIN.finditer(lock("requirements-dev.lock"))}

    assert [] == [match[0] for match in PIN.finditer(lock("requirements.lock")) if match[0].rstrip() not in tested]


PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def environments() -> list[dict[str, str]]:
    """Return where the locks are installed: Linux and macOS, with every Python that is supported."""
    return [
        {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": platform}
        for version in PYTHONS
        for platform in ("linux", "darwin")
    ]


def needed(requirement: Requirement, environment: dict[str, str]) -> Iterator[Requirement]:
    """Yield what a requirement needs in turn, with its extras, by what the installed distribution says of itself."""
    extras = requirement.extras or {""}
    try:
        wanted = requires(requirement.name) or []
    except PackageNotFoundError:  # not for this machine; then nothing that is for this one may need it
        return
    for each in map(Requirement, wanted):
        if each.marker is None or any(each.marker.evaluate({**environment, "extra": extra}) for extra in extras):
            yield each


def unlocked(name: str, requirements: list[Requirement], environment: dict[str, str]) -> list[str]:
    """Return what would have to be resolved in an environment, since a lock does not hold it."""
    pins = {match[1]: match[2] for match in PIN.finditer(lock(name))}
    missing, seen, rest = [], set(), list(requirements)
    while rest:
        requirement = rest.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if not requirement.specifier.contains(pins.get(key[0], "0")):
            missing.append(str(requirement))
        if key not in seen:
            seen.add(key)
            rest.extend(needed(requirement, environment))
    return missing


@pytest.mark.parametrize(
    "environment", environments(), ids=lambda each: f"{each['sys_platform']}-{each['python_version']}"
)
@pytest.mark.parametrize(("name", "requirements"), asked_for().items())
def test_a_lock_is_complete(name: str, requirements: list[Requirement], environment: dict[str, str]) -> None:
    """The lock has every requirement of a locked package, by extras and markers too, so a set-up resolves nothing."""
    assert [] == unlocked(name, requirements, environment)


def test_an_extra_that_is_not_locked_is_found() -> None:
    """A requirement that comes by an extra alone is missed in a lock that does not hold it."""
    extra = Requirement("httpx2[brotli]")

    assert any("brotli" in each.lower() for each in unlocked("requirements.lock", [extra], environments()[0]))
