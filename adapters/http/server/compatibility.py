"""The release line of uvicorn that this package was tested with, and the inner names that it relies on.

A minor release may change any of these names. A test finds them in the code and compares them with this list.

A proxy in front, such as nginx, would do part of this: timeouts for heads and bodies, sizes of heads, buffering of slow
clients, connections for each client. It knows nothing of frames of WebSockets, of followers, or of problems as JSON.
"""

from importlib.metadata import version

TESTED = "0.54"

RELIED_ON = {
    "HttpToolsProtocol": "_should_upgrade _start_asgi_task access_log access_logger app app_state connection_lost "
    "connection_made connections cycle data_received expect_100_continue flow handle_websocket_upgrade headers logger "
    "loop on_body on_headers_complete on_message_complete on_response_complete parser pipeline root_path scope "
    "server_state shutdown timeout_keep_alive transport url",
    "RequestResponseCycle": "access_log access_logger chunked_encoding default_headers disconnected "
    "expected_content_length flow keep_alive logger message_event more_body on_response response_complete "
    "response_started scope send transport waiting_for_100_continue",
    "FlowControl": "_transport pause_reading read_paused resume_reading write_paused",
    "ServerState": "connections default_headers total_requests",
    "WSProtocol": "close_sent close_timer conn connection_lost connection_made disconnected handle_close "
    "handle_connect handle_events handle_message handle_ping handle_pong handshake_complete loop pause_writing queue "
    "read_paused response_started resume_writing send shutdown transport writable",
}


def mismatch(installed: str | None = None) -> str | None:
    """Say that an untested release of uvicorn is `installed`, and what to do; None if it is the tested one."""
    installed = installed or version("uvicorn")
    if installed.startswith(f"{TESTED}."):
        return None
    return f"uvicorn {installed} is installed, and this version needs uvicorn {TESTED}.*: install what the lock names"
