"""What the domain may import: the rule that keeps every technology out of it."""

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
DOMAIN = "backroom.domain"

# The whole list. A module is added here only if it would still make sense on paper, with no computer.
ALLOWED = {
    "ipaddress",
    "urllib.parse",
    "__future__",
    "abc",
    "attr",
    "attrs",
    "base64",
    "collections",
    "collections.abc",
    "contextlib",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "itertools",
    "operator",
    "re",
    "types",
    "typing",
    "unicodedata",
}

BREACHES = [
    "import sqlite3",
    "import os.path",
    "from starlette.requests import Request",
    "from attrs_strict import type_validator",
    "from backroom.adapters import sqlite",
    "from backroom.domains import lookalike",
    "from backroom import adapters",
    "from .. import entrypoints",
    "from ..adapters.http import routes",
    "def lazily():\n    import json",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import cattrs",
]


def imported(source: Path, src: Path) -> Iterator[str]:
    """Yield the full name of each module that a source file below `src` imports anywhere in its text."""
    package = ".".join(source.relative_to(src).parent.parts)
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield resolve_name("." * node.level + (node.module or ""), package)


def forbidden(src: Path) -> list[str]:
    """Return each import of the domain below `src` that the list does not allow, as `file: module`."""
    return [
        f"{source.relative_to(src)}: {module}"
        for source in sorted(src.joinpath(*DOMAIN.split(".")).rglob("*.py"))
        for module in imported(source, src)
        if module not in ALLOWED and module != DOMAIN and not module.startswith(f"{DOMAIN}.")
    ]


def test_domain_imports_only_what_is_listed() -> None:
    """The domain imports itself, attrs and the listed modules of the standard library, and nothing else."""
    assert [] == forbidden(SRC)


@pytest.mark.parametrize("statement", BREACHES)
def test_a_forbidden_import_is_found(statement: str, tmp_path: Path) -> None:
    """A forbidden import in a file of the domain is reported, wherever and however it is written."""
    write_domain_file(tmp_path, statement)

    assert 1 == len(forbidden(tmp_path))


@pytest.mark.parametrize(
    "statement", ["from . import errors", "from .tasks import Task", "import backroom.domain.tasks"]
)
def test_the_domain_may_import_itself(statement: str, tmp_path: Path) -> None:
    """Imports within the domain are allowed, relative ones too."""
    write_domain_file(tmp_path, statement)

    assert [] == forbidden(tmp_path)


def write_domain_file(src: Path, text: str) -> None:
    """Write a domain below `src` that consists of one file."""
    folder = src.joinpath(*DOMAIN.split("."))
    folder.mkdir(parents=True)
    folder.joinpath("sample.py").write_text(text, encoding="utf-8")
