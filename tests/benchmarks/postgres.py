"""The section on PostgreSQL. It is durable, so it waits for the disk, and it may run on any core."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import attrs

from tests.benchmarks import scripts
from tests.benchmarks.access import new_key, showing
from tests.benchmarks.load import Script
from tests.benchmarks.rounds import Rounds, Trial
from tests.benchmarks.servers import Server, Service, backroom, bare_postgres, running
from tests.benchmarks.table import Row, compare, scaling
from tests.postgres_server import Server as Database
from tests.postgres_server import running as database

FEW = 1_000
PAGE = "/tasks?limit=50"
ON_DISK = Path("/var/tmp")  # unlike a system's temporary folder, never in memory
DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on"}
# Like a small server, not like the tests.
ROOMY = {"shared_buffers": "1GB", "min_wal_size": "2GB", "max_wal_size": "2GB"}
SEGMENTS = 128  # of 16 MB: as many files of the write-ahead log as `ROOMY` keeps


@attrs.frozen
class Servers:
    """The servers of the section.

    Attributes:
        bare: (d).
        few: (c) on a database that begins with `FEW` rows.
        many: (c) on one that begins with `rows` rows.
        keyed: (c) on one that begins with `FEW` rows and has a key, to be shown by `header`.
        two: two processes of (c) on the database of `few`, each with as many connections as the other servers.
    """

    bare: Server
    few: Server
    many: Server
    keyed: Server
    header: str
    two: Server


@contextmanager
def durable_database(cores: tuple[int, int]) -> Iterator[Database]:
    """Yield a database server that survives a crash of the machine, on both cores.

    It has files of its write-ahead log to use again, as one has that has run for a while. A new server fills each of
    them with zeros within somebody's commit, and all other writers wait.
    """
    os.sched_setaffinity(0, cores)  # a child inherits it
    with database(ON_DISK, **DURABLE, **ROOMY) as server:
        used = f"SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal() FROM generate_series(1, {SEGMENTS})"
        as_owner = (f"--host={server.directory}", "--username=postgres")
        server.run("psql", *as_owner, f"--command={used}", "--command=CHECKPOINT")
        yield server


def measured(rounds: Rounds, rows: int, executable: str, folder: Path) -> Iterator[Row]:
    """GET one and POST, against one statement each: with few rows and many, with a key, with one process and two."""
    cores = rounds.cores
    with ExitStack() as stack:
        server = stack.enter_context(durable_database(cores))
        for name in ("bare", "few", "many", "keyed"):
            server.run("createdb", f"--host={server.directory}", "--username=postgres", name)
        services: list[Service] = [
            bare_postgres(server.dsn("bare")),
            backroom(executable, "(c) pg few", server.dsn("few")),
            backroom(executable, "(c) pg many", server.dsn("many")),
            backroom(executable, "(c) pg keyed", server.dsn("keyed")),
            backroom(executable, "(c) pg two", server.dsn("few"), workers=2),
        ]
        bare, few, many, keyed, two = (stack.enter_context(running(each, folder, cores)) for each in services)
        for each, count in ((few, FEW), (many, rows), (keyed, FEW)):
            rounds.run(Trial(each, partial(scripts.create_in_bulk, times=count // scripts.BULK), connections=1))
        header = f"Authorization: Bearer {new_key(executable, server.dsn('keyed'))}"
        server.run("vacuumdb", f"--host={server.directory}", "--username=postgres", "--all", "--analyze")
        yield from _rows(Servers(bare, few, many, keyed, header, two), rounds, rows)


def _rows(servers: Servers, rounds: Rounds, rows: int) -> Iterator[Row]:
    def read(seed: int) -> Script:
        return scripts.read_any(FEW, seed)

    rates = rounds.medians(
        {
            "GET (d)": Trial(servers.bare, read),
            "GET": Trial(servers.few, read),
            "GET with a key": Trial(servers.keyed, showing(read, servers.header)),
            "GET many": Trial(servers.many, partial(scripts.read_any, rows)),
            "GET two": Trial(servers.two, read, connections=128),
            "page": Trial(servers.few, lambda _: scripts.repeat(PAGE)),
            "page many": Trial(servers.many, lambda _: scripts.repeat(PAGE)),
            "POST (d)": Trial(servers.bare, scripts.create, 201),
            "POST": Trial(servers.few, scripts.create, 201),
            "POST with a key": Trial(servers.keyed, showing(scripts.create, servers.header), 201),
            "POST many": Trial(servers.many, scripts.create, 201),
            "POST two": Trial(servers.two, scripts.create, 201, connections=128),
        }
    )
    for what in ("GET", "POST"):
        yield compare(f"PostgreSQL, {what} one", rates[what], "(d)", rates[f"{what} (d)"], least=0.6)
    for what in ("GET", "POST"):
        keyed = f"PostgreSQL, {what} with a key"
        yield compare(keyed, rates[f"{what} with a key"], "without keys", rates[what], least=0.95)
    for what in ("GET", "page", "POST"):
        many = f"PostgreSQL, {what}, {rows:,} rows"
        yield compare(many, rates[f"{what} many"], f"{FEW:,} rows", rates[what], least=0.9)
    for what in ("GET", "POST"):
        two = f"PostgreSQL, {what}, two processes"
        yield scaling(two, rates[f"{what} two"], "one", rates[what], least=0.85)
