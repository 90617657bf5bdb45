"""A real endpoint in a thread, which fails half of the time and keeps what it was sent."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field


@define
class Message:
    """One request, whether or not it was answered with success."""

    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        """Return the id of the message, the same for each attempt."""
        return self.headers["webhook-id"]

    @property
    def told(self) -> tuple[str, int, int]:
        """Return the type of the change, and which version of what it left."""
        change = json.loads(self.body)["data"]
        return change["type"], change["id"], change["version"]


@define(eq=False)
class Receiver:
    """Refuses the first attempt at every message with 503, and takes the second one."""

    url: str = ""
    messages: list[Message] = field(factory=list)
    arrived: threading.Condition = field(factory=threading.Condition)
    seen: Counter[str] = field(factory=Counter)

    def take(self, message: Message) -> int:
        """Keep a message, and return the status to answer."""
        with self.arrived:
            self.messages.append(message)
            self.seen[message.id] += 1
            self.arrived.notify_all()
            return 503 if self.seen[message.id] == 1 else 204

    def wait_for(self, count: int, *, within: float) -> bool:
        """Return once so many messages were taken by their second attempt; tell whether they were in time."""
        with self.arrived:
            return self.arrived.wait_for(lambda: len(self.taken()) >= count, within)

    def taken(self) -> set[str]:
        """Return the ids of the messages that were answered with success."""
        with self.arrived:
            return {id for id, times in self.seen.items() if times > 1}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Let a receiver listen on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            body = self.rfile.read(size)
            if len(body) < size:  # the sender was killed meanwhile
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(Message(headers, body.decode())))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
