"""What the domain may import: the rule that keeps every technology out of it."""

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAIN = "domain"

# The whole list. A module is added here only if it would still make sense on paper, with no computer.
ALLOWED = {
    "ipaddress",
    "urllib.parse",
    "__future__",
    "abc",
    "array",
    "binascii",
    "hashlib",
    "attr",
    "attrs",
    "base64",
    "collections",
    "collections.abc",
    "contextlib",
    "datetime",
    "decimal",
    "difflib",
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
    "from adapters import sqlite",
    "from domains import lookalike",
    "import adapters",
    "import entrypoints.wiring",
    "from adapters.http import routes",
    "def lazily():\n    import json",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import cattrs",
]


def imported(source: Path, root: Path) -> Iterator[str]:
    """Yield the full name of each module that a source file below `root` imports anywhere in its text."""
    package = ".".join(source.relative_to(root).parent.parts)
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield resolve_name("." * node.level + (node.module or ""), package)


def forbidden(root: Path) -> list[str]:
    """Return each import of the domain below `root` that the list does not allow, as `file: module`."""
    return [
        f"{source.relative_to(root)}: {module}"
        for source in sorted((root / DOMAIN).rglob("*.py"))
        for module in imported(source, root)
        if module not in ALLOWED and module != DOMAIN and not module.startswith(f"{DOMAIN}.")
    ]


def test_domain_imports_only_what_is_listed() -> None:
    """The domain imports itself, attrs and the listed modules of the standard library, and nothing else."""
    assert [] == forbidden(ROOT)


@pytest.mark.parametrize("statement", BREACHES)
def test_a_forbidden_import_is_found(statement: str, tmp_path: Path) -> None:
    """A forbidden import in a file of the domain is reported, wherever and however it is written."""
    write_domain_file(tmp_path, statement)

    assert 1 == len(forbidden(tmp_path))


@pytest.mark.parametrize("statement", ["from . import errors", "from .tasks import Task", "import domain.tasks"])
def test_the_domain_may_import_itself(statement: str, tmp_path: Path) -> None:
    """Imports within the domain are allowed, relative ones too."""
    write_domain_file(tmp_path, statement)

    assert [] == forbidden(tmp_path)


def write_domain_file(root: Path, text: str) -> None:
    """Write a domain below `root` that consists of one file."""
    folder = root / DOMAIN
    folder.mkdir(parents=True)
    folder.joinpath("sample.py").write_text(text, encoding="utf-8")
