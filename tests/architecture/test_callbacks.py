"""No callback of a task notes anything, because a caller whom the task answered acts before the callback runs."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "adapters", "entrypoints")
CALLBACK = "add_done_callback"


def callbacks(root: Path) -> Iterator[str]:
    """Yield each line below `root` that adds a callback to a task, as `file:line`."""
    for package in PACKAGES:
        for source in sorted((root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr == CALLBACK:
                    yield f"{source.relative_to(root)}:{node.lineno}"


def test_nothing_is_noted_in_a_callback() -> None:
    """A task notes what it has done before it ends, or is asked whether it is done."""
    assert [] == list(callbacks(ROOT))


@pytest.mark.parametrize("statement", ["task.add_done_callback(tasks.discard)", "note = task.add_done_callback"])
@pytest.mark.parametrize("package", PACKAGES)
def test_a_callback_is_found(tmp_path: Path, package: str, statement: str) -> None:
    """A callback is reported, in every spelling."""
    folder = tmp_path / package / "below"
    folder.mkdir(parents=True)
    (folder / "sample.py").write_text(f"\n{statement}\n")
    assert [f"{package}/below/sample.py:2"] == list(callbacks(tmp_path))
