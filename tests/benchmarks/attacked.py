"""One client against the others: how long honest clients wait while another one attacks, each in its own process."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.benchmarks import scripts
from tests.benchmarks.load import LoadError
from tests.benchmarks.others import Waits
from tests.benchmarks.postgres import durable_database
from tests.benchmarks.rounds import Rounds, Trial
from tests.benchmarks.servers import Server, backroom, running, sqlite
from tests.benchmarks.table import Row

ROWS = 100_000  # and as many changes, which some attacks read
AIM = 0.050  # seconds within which 99 of 100 requests of the others are answered
TIMEOUT_S = 5.0  # seconds after which a request of the others has failed
DELAYED = 0.02  # share of the time; if the others wait for their core for longer, their row tells it
LONGEST = 120.0  # seconds until an attack ends by itself, should nobody end it


def attacked(rounds: Rounds, rows: int, attacks: Sequence[str], executable: str, folder: Path) -> Iterator[Row]:
    """Time the others without an attack and under each of some, on SQLite and on PostgreSQL."""
    with ExitStack() as stack:
        database = stack.enter_context(durable_database(rounds.cores))
        stores = {"SQLite": sqlite(folder / "attacked.db"), "PostgreSQL": database.dsn()}
        for name, store in stores.items():
            service = backroom(executable, f"(c) attacked, {name}", store)
            with running(service, folder, rounds.cores) as server:
                fill(rounds, server, min(rows, ROWS))
                for attack in (None, *attacks):
                    print(f"others, {name}: {attack or 'no attack'}", file=sys.stderr)
                    yield row(name, attack, _timed(rounds, server, attack))
                yield Row(f"{name}: memory after all attacks", f"{server.memory() / 1e6:,.0f} MB")


def fill(rounds: Rounds, server: Server, rows: int) -> None:
    """Create the tasks that the others and the attacks read."""
    rounds.run(Trial(server, partial(scripts.create_in_bulk, times=rows // scripts.BULK), connections=1))


@contextmanager
def attacking(attack: str, port: int) -> Iterator[None]:
    """Run an attack in its own process."""
    process = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.attacks", attack, str(port), str(LONGEST)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def waits(port: int, seconds: float, timeout_s: float = TIMEOUT_S) -> Waits:
    """Return what honest clients measured for some seconds, in their own process."""
    command = [sys.executable, "-m", "tests.benchmarks.others", str(port), str(seconds), str(timeout_s)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=seconds + timeout_s + 60)
    found = Waits(**json.loads(done.stdout))
    if not found.times:
        raise LoadError(f"no request of the others was answered: {found.failures[:3]}")
    return found


def _timed(rounds: Rounds, server: Server, attack: str | None) -> Waits:
    """Measure for as long as all rounds of another section take, once the attack has begun."""
    seconds = rounds.rounds * rounds.seconds
    with ExitStack() as stack:
        if attack is not None:
            stack.enter_context(attacking(attack, server.port))
        waits(server.port, rounds.warm_up)
        return waits(server.port, seconds)


def row(store: str, attack: str | None, found: Waits) -> Row:
    """Make the row of an attack. A failure counts as `TIMEOUT_S` seconds, and misses the aim.

    It tells where the others themselves waited for their core, so that not all of their time is the service's.
    """
    p50, p99 = found.within(0.5), found.within(0.99)
    failed = f", {len(found.failures)} of {len(found.times) + len(found.failures)} failed" if found.failures else ""
    delayed = f", themselves delayed {found.delayed:.0%}" if found.delayed > DELAYED else ""
    return Row(
        f"{store}: others, {attack or 'no attack'}",
        f"p50 {p50 * 1000:,.1f} ms, p99 {p99 * 1000:,.1f}, most {found.within(1) * 1000:,.0f}{failed}{delayed}",
        aim=f"p99 < {AIM * 1000:.0f} ms",
        met=p99 < AIM and not found.failures,
    )
