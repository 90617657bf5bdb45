"""The cost of access checks: requests with a key, by cookie and with a rate limit, compared to one without keys."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import attrs

from tests.benchmarks import scripts
from tests.benchmarks.load import HOST, Script
from tests.benchmarks.rounds import Rounds, Trial
from tests.benchmarks.servers import Server, backroom, running, sqlite
from tests.benchmarks.table import Row, compare

ROWS = 1_000
LIMIT = "100000000/second"  # too high to reach

Load = Callable[[int], Script]


def access(rounds: Rounds, executable: str, folder: Path) -> Iterator[Row]:
    """GET one task and POST new ones: without keys, with a key, by cookie, and with a key and a limit."""
    with ExitStack() as stack:
        services = [
            backroom(executable, f"(c) {name}", sqlite(folder / f"{name}.db")) for name in ("open", "keyed", "limited")
        ]
        limited = services[2]
        services[2] = attrs.evolve(limited, environment=lambda port: {**limited.environment(port), **_LIMITED})
        servers = [stack.enter_context(running(each, folder, rounds.cores)) for each in services]
        for server in servers:
            rounds.run(Trial(server, partial(scripts.create, times=ROWS), 201, connections=1))
        keys = [new_key(executable, sqlite(folder / f"{name}.db")) for name in ("keyed", "limited")]
        yield from _compared(rounds, servers, keys, session(servers[1], keys[0]))


_LIMITED = {"BACKROOM_RATE_LIMIT": LIMIT}


def _compared(rounds: Rounds, servers: list[Server], keys: list[str], cookie: str) -> Iterator[Row]:
    everyone, keyed, limited = servers
    loads: tuple[tuple[str, Load, int], ...] = (
        ("GET", lambda n: scripts.read_any(ROWS, n), 200),
        ("POST", scripts.create, 201),
    )
    for name, load, status in loads:
        rates = rounds.medians(
            {
                name: Trial(everyone, load, status),
                "with a key": Trial(keyed, showing(load, f"Authorization: Bearer {keys[0]}"), status),
                "by cookie": Trial(keyed, showing(load, f"Cookie: {cookie}"), status),
                "with a key and a limit": Trial(limited, showing(load, f"Authorization: Bearer {keys[1]}"), status),
            }
        )
        base = rates.pop(name)
        for how, figure in rates.items():
            yield compare(f"{name} {how}", figure, "without keys", base, least=0.95 if how == "with a key" else None)


def showing(load: Load, header: str) -> Load:
    """Return a load whose every request has one additional header."""
    line = f"\r\n{header}\r\nHost: ".encode()

    def script(number: int) -> Script:
        inner = load(number)
        request = next(inner)
        while True:
            answer = yield request.replace(b"\r\nHost: ", line, 1)
            request = inner.send(answer)

    return script


def new_key(executable: str, store: str) -> str:
    """Create a key beside the running service, and return it."""
    command = [executable, "keys", "create", "load", "--scope", "write"]
    made = subprocess.run(
        command, env={**os.environ, "BACKROOM_STORE": store}, capture_output=True, text=True, check=True
    )
    return made.stdout.strip()


def session(server: Server, key: str) -> str:
    """Open a session with a key, and return the cookie."""
    connection = HTTPConnection(HOST, server.port, timeout=60)
    try:
        connection.request("POST", "/session", json.dumps({"key": key}), {"Content-Type": "application/json"})
        return str(connection.getresponse().getheader("set-cookie")).partition(";")[0]
    finally:
        connection.close()
