"""What this project relies on in uvicorn and httptools. An upgrade that changes it fails here."""

import hashlib
import inspect
from collections.abc import Callable
from importlib.util import find_spec, module_from_spec
from typing import Any

import httptools
import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

# Loaded anew, because a library that other tests use replaces a method of it.
_SPEC = find_spec("uvicorn.server")
assert _SPEC is not None
assert _SPEC.loader is not None
SERVER = module_from_spec(_SPEC)
_SPEC.loader.exec_module(SERVER)

REPLACED: dict[Callable[..., Any], str] = {
    HttpToolsProtocol.data_received: "010a7ae59a5d3b1a",
    HttpToolsProtocol.on_headers_complete: "1ea8589acfad92d8",
    HttpToolsProtocol.on_message_complete: "1fbad42dc31fc01f",
    HttpToolsProtocol.on_response_complete: "64e254f28e389e76",
    SERVER.Server.handle_exit: "553276efa26e09ea",
}
EXTENDED: dict[Callable[..., Any], str] = {
    HttpToolsProtocol.handle_websocket_upgrade: "179c4f769386ab89",
    RequestResponseCycle.send: "abdd8601b326a8da",
    RequestResponseCycle.receive: "8124ae006be71184",
    WSProtocol.handle_close: "a51f4fc1881e5dfe",
    WSProtocol.handle_connect: "92227ee97feb75b8",
    WSProtocol.send: "f7f6ddb90bd1c325",
}


@pytest.mark.parametrize(
    ("method", "digest"), {**REPLACED, **EXTENDED}.items(), ids=lambda each: getattr(each, "__qualname__", "")
)
def test_method_is_as_it_was(method: Callable[..., Any], digest: str) -> None:
    """A method that this project replaces or relies on has the same source as when that code was written."""
    assert digest == hashlib.sha256(inspect.getsource(method).encode()).hexdigest()[:16]


def test_error_of_a_callback_is_told() -> None:
    """Httptools keeps the exception of a callback as the context of its own error."""

    class Callbacks:
        def on_url(self, url: bytes) -> None:
            raise ZeroDivisionError

    with pytest.raises(httptools.HttpParserCallbackError) as caught:
        httptools.HttpRequestParser(Callbacks()).feed_data(b"GET / HTTP/1.1\r\n")

    assert isinstance(caught.value.__context__, ZeroDivisionError)


def test_error_of_the_parser_has_no_context() -> None:
    """An error of the parser has no context, unlike that of a callback."""
    with pytest.raises(httptools.HttpParserError) as caught:
        httptools.HttpRequestParser(object()).feed_data(b"?")

    assert caught.value.__context__ is None


def test_body_behind_an_upgrade_is_not_parsed() -> None:
    """Httptools stops after the head of a request that offers another protocol, and tells where."""
    head = b"POST / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\n"

    with pytest.raises(httptools.HttpParserUpgrade) as caught:
        httptools.HttpRequestParser(object()).feed_data(head + b"hello")

    assert (len(head),) == caught.value.args
