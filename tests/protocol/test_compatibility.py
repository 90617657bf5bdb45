"""The release of uvicorn whose inner names the server relies on."""

import logging

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from adapters.http.server import compatibility
from adapters.http.server.compatibility import HTTP_NAMES, TESTED, WEBSOCKET_NAMES, mismatch
from entrypoints.server import run


def test_the_installed_release_is_the_tested_one() -> None:
    """What the locks install is what the server was tested with, and has every name that it relies on."""
    assert None is mismatch()
    assert [] == [name for name in HTTP_NAMES if not hasattr(HttpToolsProtocol, name)]
    assert [] == [name for name in WEBSOCKET_NAMES if not hasattr(WSProtocol, name)]


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
