"""The documents tell the truth about the repository."""

import doctest
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from entrypoints.settings import KEY, PREFIX, Settings

ROOT = Path(__file__).parents[2]


def promised(document: str, pattern: str) -> list[Any]:
    """Return what a document names."""
    return re.findall(pattern, (ROOT / document).read_text())


def test_every_invariant_names_a_test_that_exists() -> None:
    """Each numbered invariant of ARCHITECTURE.md ends with tests, and they are there."""
    invariants = promised("ARCHITECTURE.md", r"(?m)^\d+\. .*(?:\n(?!\d+\.|\n).*)*")
    named = [re.findall(r"`(tests/[a-z0-9_/.]+)`", invariant) for invariant in invariants]
    assert len(invariants) > 5
    assert [] == [invariant for invariant, tests in zip(invariants, named, strict=True) if not tests]
    assert [] == [test for tests in named for test in tests if not (ROOT / test).exists()]


@pytest.mark.parametrize("module", sorted(set(promised("ARCHITECTURE.md", r"`((?:domain|adapters)/[a-z_/]+\.py)`"))))
def test_the_map_names_modules_that_exist(module: str) -> None:
    """Each module with its folder on the map is there."""
    assert (ROOT / module).exists()


def test_the_first_lines_are_true() -> None:
    """The lines of the domain with which ARCHITECTURE.md begins do what is written below each."""
    result = doctest.testfile(str(ROOT / "ARCHITECTURE.md"), module_relative=False)
    assert (0, True) == (result.failed, result.attempted >= 10)


def test_the_map_names_every_use_case() -> None:
    """Each module of the use cases is on the map."""
    modules = {each.name for each in (ROOT / "domain" / "use_cases").glob("[a-z]*.py")}
    assert set() == modules - set(promised("ARCHITECTURE.md", r"`([a-z_]+\.py)`"))


def test_the_map_names_every_module() -> None:
    """Each module is on the map, by its name, in a row whose first column has its package or a module of that."""
    modules = [each for root in ("domain", "adapters", "entrypoints") for each in (ROOT / root).rglob("[a-z]*.py")]
    named = set()
    for where, rest in promised("ARCHITECTURE.md", r"(?m)^\| (.*?) \| (.*) \|$"):
        places = re.findall(r"`([a-z_/.]+)`", where)
        packages = tuple(
            "/" + re.sub(r"/?[a-z_]*\.py$|/$", "", each) for each in places if "/" in each or "." not in each
        )
        names = {*re.findall(r"`([a-z_]+\.py)`", rest), *(each.rpartition("/")[2] for each in places)}
        named |= {
            each for each in modules if each.name in names and f"/{each.parent.relative_to(ROOT)}".endswith(packages)
        }
    assert len(named) > 100
    assert [] == sorted(str(each.relative_to(ROOT)) for each in modules if each not in named)


def test_readme_names_every_setting() -> None:
    """The README has each setting and the variable of a client's key, and none that does not exist."""
    known = {KEY, *(PREFIX + field.name.upper() for field in attrs.fields(Settings))}
    assert known == set(promised("README.md", rf"(?<!_){PREFIX}[A-Z_]*[A-Z]"))


@pytest.mark.parametrize(
    "document", ["README.md", "ARCHITECTURE.md", *(f"docs/{each.name}" for each in (ROOT / "docs").iterdir())]
)
def test_links_lead_to_files(document: str) -> None:
    """Every link of a document into this repository leads to a file."""
    linked = promised(document, r"\]\((?!https?:)([^)#]+)")
    assert [] == [each for each in linked if not (ROOT / document).parent.joinpath(each).exists()]
