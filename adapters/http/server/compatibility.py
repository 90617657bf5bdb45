"""The release line of uvicorn that this package was tested with.

The package overrides and uses inner names of uvicorn, which any minor release may change. The most important are:

- of `HttpToolsProtocol`: the methods in `HTTP_NAMES`, and the attributes `parser`, `headers`, `url`, `scope`, `cycle`,
  `pipeline`, `flow`, `loop`, `transport`, `connections`, `server_state`, `app_state` and `timeout_keep_alive`;
- `RequestResponseCycle`, which `_start_asgi_task` runs, and `FlowControl` with its `read_paused`;
- of `WSProtocol`: the methods in `WEBSOCKET_NAMES`, and the attributes `conn`, `queue`, `transport`, `loop`,
  `writable`, `read_paused`, `handshake_complete`, `response_started` and `close_sent`.

A proxy in front, such as nginx, would do part of this: timeouts for heads and bodies, sizes of heads, buffering of slow
clients, connections for each client. It knows nothing of frames of WebSockets, of followers, or of problems as JSON.
"""

from importlib.metadata import version

TESTED = "0.54"

HTTP_NAMES = (
    "connection_made",
    "connection_lost",
    "data_received",
    "shutdown",
    "on_headers_complete",
    "on_body",
    "on_message_complete",
    "on_response_complete",
    "handle_websocket_upgrade",
    "_should_upgrade",
)
WEBSOCKET_NAMES = (
    "connection_made",
    "connection_lost",
    "data_received",
    "shutdown",
    "handle_events",
    "handle_connect",
    "handle_message",
    "handle_ping",
    "handle_pong",
    "handle_close",
    "pause_writing",
    "resume_writing",
    "send",
)


def mismatch(installed: str | None = None) -> str | None:
    """Say that an untested release of uvicorn is `installed`, and what to do; None if it is the tested one."""
    installed = installed or version("uvicorn")
    if installed.startswith(f"{TESTED}."):
        return None
    return f"uvicorn {installed} is installed, and this version needs uvicorn {TESTED}.*: install what the lock names"
