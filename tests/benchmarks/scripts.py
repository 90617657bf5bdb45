"""The clients of the load: requests, and scripts that choose the next request."""

import json
from collections.abc import Iterator
from itertools import count, cycle
from random import Random
from uuid import uuid4

from tests.benchmarks.load import Script

BULK = 1_000  # operations of one bulk request

VERBS = ["Clean", "Count", "Deliver", "Invoice", "Label", "Order", "Pack", "Print", "Repair", "Return", "Sort", "Sweep"]
THINGS = [
    "brass hooks",
    "candles",
    "coffee filters",
    "glass jars",
    "oak shelves",
    "order books",
    "paper bags",
    "towels",
]
PLACES = ["Saturday's market", "the bakery", "the corner shop", "the school fair", "the storeroom", "the summer sale"]


def request(method: str, path: str, body: object = None, **headers: str) -> bytes:
    """Return the bytes of a request, with a JSON body unless it is None; `if_match` stands for `If-Match`."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def titles(seed: int) -> Iterator[str]:
    """Yield titles of realistic length without end. Each seed has other titles, and the same ones in each run."""
    random = Random(seed)
    while True:
        amount = random.randint(2, 99_999)
        yield f"{random.choice(VERBS)} {amount} {random.choice(THINGS)} for {random.choice(PLACES)}"


def repeat(path: str) -> Script:
    """GET the same path again and again."""
    sent = request("GET", path)
    while True:
        yield sent


def read_any(rows: int, seed: int) -> Script:
    """GET tasks at random. With many rows, each connection uses two thousand of them."""
    random = Random(seed)
    sent = [request("GET", f"/tasks/{random.randint(1, rows)}") for _ in range(min(rows, 2_000))]
    while True:
        yield random.choice(sent)


def create(seed: int, times: int | None = None) -> Script:
    """POST new tasks, without end or this many times."""
    for _, title in zip(count() if times is None else range(times), titles(seed), strict=False):
        yield request("POST", "/tasks", {"title": title})


def create_with_key(seed: int) -> Script:
    """POST new tasks, each with an Idempotency-Key of its own."""
    for title in titles(seed):
        yield request("POST", "/tasks", {"title": title}, idempotency_key=str(uuid4()))


def titled(seed: int) -> Iterator[dict[str, str]]:
    """Yield edits that give a task another title."""
    return ({"title": title} for title in titles(seed))


def ticked() -> Iterator[dict[str, str]]:
    """Yield edits that complete a task, and reopen it."""
    return cycle([{"status": "done"}, {"status": "pending"}])


def edit(task: int, edits: Iterator[dict[str, str]]) -> Script:
    """PUT edits on one task, one after the other, each with the ETag of the last response."""
    answer = yield request("GET", f"/tasks/{task}")
    for each in edits:
        answer = yield request("PUT", f"/tasks/{task}", each, if_match=etag(answer))


def etag(answer: bytes) -> str:
    """Return the ETag of a response, quotes included."""
    head = answer.partition(b"\r\n\r\n")[0]
    return next(line[6:].decode() for line in head.split(b"\r\n") if line[:6].lower() == b"etag: ")


def create_in_bulk(seed: int, times: int | None = None) -> Script:
    """POST tasks a thousand at a time, without end or this many times."""
    some = titles(seed)
    for _ in count() if times is None else range(times):
        operations = [{"op": "create", "body": {"title": next(some)}} for _ in range(BULK)]
        yield request("POST", "/tasks/bulk", {"operations": operations})
