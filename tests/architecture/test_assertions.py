"""Every test asserts in its own body, where its reader looks for what it proves."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ASSERTING = {
    "raises",  # of pytest
    "expect",  # of playwright
    "run_state_machine_as_test",  # of Hypothesis: the rules of the machine assert
}


def asserts(node: ast.AST) -> bool:
    """Tell whether a node of a body asserts, or calls what does: a function of ours that does is called check…."""
    match node:
        case ast.Assert():
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in ASSERTING
        case ast.Call(func=ast.Name(id=name)):
            return name in ASSERTING or name.lstrip("_").startswith("check")
    return False


def silent(source: str) -> Iterator[str]:
    """Return the names of the tests that assert nothing."""
    functions = (each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    for test in (each for each in functions if each.name.startswith("test")):
        if not any(asserts(node) for line in test.body for node in ast.walk(line)):
            yield test.name


def test_every_test_asserts() -> None:
    """No test only runs something, and leaves to its reader what would have to be wrong for it to fail."""
    files = {str(file.relative_to(TESTS)): file.read_text() for file in TESTS.rglob("test_*.py")}
    assert [] == [f"{name}: {test}" for name, source in files.items() for test in silent(source)]


@pytest.mark.parametrize(
    ("body", "is_silent"),
    [
        ("run()", True),
        ("field.check(1)", True),  # the method of a field, and no check of a test
        ("assert run()", False),
        ("for _ in (1, 2):\n  check_all()", False),
        ("with pytest.raises(ValueError):\n  run()", False),
    ],
)
def test_what_asserts(body: str, is_silent: bool) -> None:
    """Running asserts nothing, nor does the method of another object that is called check."""
    lines = body.replace("\n", "\n  ")
    assert is_silent is bool([*silent(f"def test():\n  {lines}\n")])
