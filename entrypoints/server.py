"""Starts and stops the server, with its sockets and processes."""

import asyncio
import errno
import multiprocessing
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from adapters.http.server.compatibility import mismatch
from adapters.http.server.protocol import HttpProtocol
from entrypoints.diagnostics import LOG
from entrypoints.threads import switch_often
from entrypoints.workers import NOT_STARTED, UNTRUSTWORTHY, supervise

FAILURE = 1

# Seconds after SIGTERM: until requests in progress are cancelled, and until the process ends in any case.
DRAIN = 7
TIMEOUT = 9.0
MAX_MESSAGE = 64 * 1024  # bytes of a WebSocket message
PING_INTERVAL = 20.0
BACKLOG = 2048  # connections that wait to be accepted
OTHER_FILES = 1000  # beside the connections

Application = str | Callable[[], ASGIApp]


def run(
    app: Application,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    store: str = "",
    metrics: tuple[str, int] | None = None,
    begin: Callable[[int], object] = lambda _: None,
) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP, and return the exit code: 0, 1 if that was impossible, or `UNTRUSTWORTHY`.

    `app` is an ASGI factory or its import string, `port` 0 takes a free one. Once it listens, it
    writes its address and the `store` to stderr. The metrics alone are served at the address `metrics`. Each worker
    calls `begin` with its slot among the workers, from 0, before it makes the application.
    """
    if (reason := mismatch()) is not None:
        LOG.error("%s", reason)
        return FAILURE
    sockets, of_metrics = _listening(host, port), [] if metrics is None else _listening(*metrics)
    if not sockets or (metrics is not None and not of_metrics):
        return FAILURE
    allow_files(HttpProtocol.MAX_CONNECTIONS + OTHER_FILES)
    announce = [f"listening on {_url(host, sockets)}" + (f" with {store}" if store else "")]
    if metrics is not None:
        announce.append(f"metrics are at {_url(metrics[0], of_metrics)}/metrics")

    def work(slot: int, is_first: bool) -> int:
        begin(slot)
        return serve(app, sockets, announce if is_first else (), of_metrics)

    code = work(0, True) if workers == 1 else supervise(work, workers, [*sockets, *of_metrics])
    return code if code in (0, UNTRUSTWORTHY) else FAILURE


def _listening(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen, or none after the reason was told."""
    try:
        return listen(host, port)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]  # what follows repeats the address
        LOG.error("cannot listen on %s: %s", url(host, port), reason)
        return []


def serve(
    app: Application, sockets: list[socket.socket], announce: Sequence[str], of_metrics: Sequence[socket.socket] = ()
) -> int:
    """Serve in this process; return 0, or `NOT_STARTED`. Writes the lines `announce` once it serves."""
    switch_often()
    server = Server(config(app), announce, of_metrics)
    try:
        server.run(sockets)
    except SystemExit:  # uvicorn's way to say that the application did not start, after it has said why
        return NOT_STARTED
    return 0


def config(app: Application | ASGIApp, *, factory: bool = True, with_sockets: bool = True) -> uvicorn.Config:
    """Return how uvicorn is to serve an application, or what its `factory` makes."""
    return uvicorn.Config(
        app,
        factory=factory,
        loop="uvloop",
        http=type("Protocol", (HttpProtocol,), {"MAX_CONNECTIONS": most_connections()}),
        ws=_web_socket if with_sockets else "none",  # type: ignore[arg-type]  # it is only called
        ws_max_size=MAX_MESSAGE,
        ws_ping_interval=PING_INTERVAL,
        ws_ping_timeout=PING_INTERVAL,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        workers=1,  # or it would read an environment variable
        proxy_headers=False,  # the application handles them itself, under any server
        backlog=BACKLOG,
        timeout_graceful_shutdown=DRAIN,
    )


def _web_socket(**arguments: Any) -> asyncio.Protocol:
    """Return the protocol of one more WebSocket. The first imports wsproto, 8 % of what a start would import."""
    from adapters.http.server.websockets import WebSocketProtocol  # noqa: PLC0415 - as above

    return WebSocketProtocol(**arguments)


class Server(uvicorn.Server):
    """uvicorn's server; it tells the application when it is about to stop, and ends without raising the signal again.

    The lifespan state has the `asyncio.Event` `stopping`. When it is set, endless answers end, such as a stream of
    changes. The application puts the one that it serves on the sockets `of_metrics` there, as `metrics`.
    """

    def __init__(
        self, config: uvicorn.Config, announce: Sequence[str], of_metrics: Sequence[socket.socket] = ()
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._of_metrics = of_metrics
        self._beside: list[asyncio.Server] = []
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state["stopping"] = self._stopping
        await super().startup(sockets)
        if (parent := multiprocessing.parent_process()) is not None:
            asyncio.get_running_loop().add_reader(parent.sentinel, self._lose_parent, parent.sentinel)
        if self.started:
            await self._serve_metrics()
            for line in self._announce:
                LOG.info("%s", line)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        for server in self._beside:
            server.close()
        await super().shutdown(sockets)
        for each in list(self.server_state.connections):  # their clients do not close, or do not read
            each.transport.abort()
        await asyncio.sleep(0)

    async def _serve_metrics(self) -> None:
        """Serve the metrics, and nothing else, on their own sockets."""
        if not self._of_metrics:
            return
        alone = config(self.lifespan.state["metrics"], factory=False, with_sockets=False)
        alone.load()
        loop = asyncio.get_running_loop()
        for each in self._of_metrics:
            protocol = partial(HttpProtocol, config=alone, server_state=self.server_state, app_state={})
            self._beside.append(await loop.create_server(protocol, sock=each, backlog=BACKLOG))

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop for SIGHUP too, which comes when a terminal is closed, unless the process ignores it, as under nohup."""
        with super().capture_signals():
            before = signal.getsignal(signal.SIGHUP)
            if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
                yield
                return
            signal.signal(signal.SIGHUP, self.handle_exit)
            try:
                yield
            finally:
                signal.signal(signal.SIGHUP, before)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, once. uvicorn would raise the signal again at the end, and with it the exit code would be 143."""
        del sig, frame
        if not self.should_exit:
            self.should_exit = True
            watchdog = threading.Timer(TIMEOUT, _give_up)
            watchdog.daemon = True
            watchdog.start()

    def _lose_parent(self, sentinel: int) -> None:
        """Stop, because a worker that outlives its parent would hold the port against the next one."""
        asyncio.get_running_loop().remove_reader(sentinel)
        self.handle_exit(signal.SIGTERM, None)


def _give_up() -> None:
    """End at once. Every answered write is stored, and waiting does not help a task that hangs."""
    LOG.critical("could not end in time, and ends now")
    os._exit(FAILURE)


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on the addresses of `host`, all on the same port. Raises `OSError`."""
    sockets: list[socket.socket] = []
    unavailable: OSError | None = None
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            sockets.append(socket.create_server((address[0], port), family=family, backlog=BACKLOG))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            unavailable = error  # a name such as localhost may have an address of a family that this machine lacks
        else:
            port = sockets[0].getsockname()[1]
    if not sockets and unavailable is not None:
        raise unavailable
    return sockets


def _url(host: str, sockets: Sequence[socket.socket]) -> str:
    return url(host, sockets[0].getsockname()[1])


def url(host: str, port: int) -> str:
    """Return the URL of an address, with an IPv6 one in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def most_connections() -> int:
    """Return how many connections this process may have, so that the files it may open are enough for its store, too.

    Beyond that number of files, libuv resets connections.
    """
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return HttpProtocol.MAX_CONNECTIONS
    return min(HttpProtocol.MAX_CONNECTIONS, max(files - OTHER_FILES, files * 3 // 4))


def allow_files(count: int) -> None:
    """Let this process open `count` files, or as many as it may: a connection is one, and 1024 is a usual limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
