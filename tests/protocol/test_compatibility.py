"""The release of uvicorn whose inner names the server relies on."""

import ast
import inspect
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from uvicorn.server import ServerState

from adapters.http.server import compatibility
from adapters.http.server.compatibility import RELIED_ON, TESTED, mismatch
from entrypoints.server import run

# The modules that use each class, and names that these share with it by chance.
USERS: dict[type, tuple[set[str], set[str]]] = {
    HttpToolsProtocol: ({"protocol", "timeouts", "cycle"}, set()),
    RequestResponseCycle: ({"protocol", "until_close", "cycle"}, set()),
    FlowControl: ({"flow", "protocol", "timeouts", "cycle"}, set()),
    ServerState: ({"protocol", "cycle"}, set()),
    WSProtocol: ({"websockets"}, set()),
}


def defined(tree: ast.AST) -> Iterator[str]:
    """Yield the names of the methods of a class and of the attributes that it sets."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and "self" == ast.unparse(node.value):
            yield node.attr


def used(module: str) -> Iterator[str]:
    """Yield the names of the attributes that a module uses, and of the methods that it defines."""
    text = (Path(compatibility.__file__).parent / f"{module}.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


@pytest.mark.parametrize("owner", USERS, ids=lambda each: each.__name__)
def test_the_list_names_all_that_is_relied_on(owner: type) -> None:
    """The list has exactly the names of uvicorn's class that the server uses or overrides."""
    modules, by_chance = USERS[owner]
    names = set(defined(ast.parse(inspect.getsource(owner)))) & {name for each in modules for name in used(each)}
    assert sorted(RELIED_ON[owner.__name__].split()) == sorted(
        name for name in names - by_chance if not name.startswith("__")
    )


def test_the_installed_release_is_the_tested_one() -> None:
    """What the locks install is what the server was tested with."""
    assert None is mismatch()


@pytest.mark.parametrize("installed", ["0.53.9", "0.55.0", "0.540.1", "1.0.0"])
def test_another_release_is_refused(
    installed: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The service does not start with another one, and one line names both."""
    monkeypatch.setattr(compatibility, "version", lambda _: installed)
    with caplog.at_level(logging.ERROR, "backroom"):
        assert 1 == run("entrypoints.asgi:app", port=0)
    (line,) = caplog.messages
    assert f"uvicorn {installed} is installed, and this version needs uvicorn {TESTED}.*" in line
