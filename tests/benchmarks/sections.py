"""The sections of the benchmark: what each measures, and the aim of each figure."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import attrs

from tests.benchmarks import postgres, scripts
from tests.benchmarks.access import access
from tests.benchmarks.attacked import attacked
from tests.benchmarks.following import following
from tests.benchmarks.load import LoadError, Script
from tests.benchmarks.rounds import Figure, Rounds, Trial
from tests.benchmarks.servers import Server, backroom, get, running, sqlite
from tests.benchmarks.table import Row, at_least, below, compare

FEW = 1_000  # rows in the small stores
PAGE = 50  # tasks on a measured page


@attrs.frozen
class Stage:
    """The servers, all running at once. An idle server costs nothing.

    Attributes:
        attacks: the attacks under which others are timed.
        executable: what runs (c).
        folder: for files that are written meanwhile.
        bare: (a).
        plain: (b), beginning with `FEW` rows.
        timed: (b) with its timing middleware, beginning with `FEW` rows.
        few: (c), beginning with `FEW` rows.
        many: (c), beginning with `rows` rows.
        followed: (c), empty, only for followers and their writer.
        unfollowed: (c), empty, only for a writer.
        feedless: (c), empty, without its feed.
    """

    rounds: Rounds
    rows: int
    attacks: Sequence[str]
    executable: str
    folder: Path
    bare: Server
    plain: Server
    timed: Server
    few: Server
    many: Server
    followed: Server
    unfollowed: Server
    feedless: Server


def fill(stage: Stage) -> None:
    """Create the first rows of each server that stores any."""
    for server in (stage.plain, stage.timed):
        stage.rounds.run(Trial(server, partial(scripts.create, times=FEW), 201, connections=1))
    for server, rows in ((stage.few, FEW), (stage.many, stage.rows)):
        stage.rounds.run(Trial(server, partial(scripts.create_in_bulk, times=rows // scripts.BULK), connections=1))


def reads(stage: Stage) -> Iterator[Row]:
    """GET one task, or any of those that exist."""

    def read(n: int) -> Script:
        return scripts.read_any(FEW, n)

    rates = stage.rounds.medians(
        {
            "GET (a)": Trial(stage.bare, read),
            **everywhere("GET", stage, read),
            "GET many": Trial(stage.many, lambda n: scripts.read_any(stage.rows, n)),
        }
    )
    yield compare("GET one", rates["GET"], "(a)", rates["GET (a)"], least=0.6)
    yield from compared("GET one", "GET", rates, stage, least=1.25)


def writes(stage: Stage) -> Iterator[Row]:
    """POST new tasks, and PUT changes to them, with the headers that make each safe to repeat.

    A new title is the most expensive edit: the text that `q` searches and the order by title change with it.
    """
    rates = stage.rounds.medians(
        {
            **everywhere("POST", stage, scripts.create, status=201),
            "PUT title": Trial(stage.few, lambda n: scripts.edit(n % 64 + 1, scripts.titled(n))),
            "PUT status": Trial(stage.few, lambda n: scripts.edit(n % 64 + 1, scripts.ticked())),
            "POST with key": Trial(stage.few, scripts.create_with_key, 201),
        }
    )
    yield from compared("POST", "POST", rates, stage, least=1.0)
    for field in ("status", "title"):
        yield compare(f"PUT of a {field}, with If-Match", rates[f"PUT {field}"], "POST", rates["POST"], least=0.8)
    yield compare("POST with Idempotency-Key", rates["POST with key"], "POST", rates["POST"], least=0.8)


def pages(stage: Stage) -> Iterator[Row]:
    """GET a page of tasks: the first, and one in the middle, found by following `next`."""
    first = f"/tasks?limit={PAGE}"
    for server in (stage.few, stage.many):
        assert json.loads(get(server.port, first)[1])["count"] == PAGE
    middles = {"few": middle(stage.few, FEW), "many": middle(stage.many, stage.rows)}
    rates = stage.rounds.medians(
        {
            **everywhere("page", stage, lambda _: scripts.repeat(first)),
            "deep page": Trial(stage.few, lambda _: scripts.repeat(middles["few"])),
            "deep page many": Trial(stage.many, lambda _: scripts.repeat(middles["many"])),
        }
    )
    yield from compared(f"page of {PAGE}", "page", rates, stage, least=1.0)
    yield compare(f"page in the middle of {FEW:,}", rates["deep page"], "first page", rates["page"], least=0.9)
    yield compare(
        f"page in the middle of {stage.rows:,}", rates["deep page many"], "first page", rates["page many"], least=0.9
    )


def searches(stage: Stage) -> Iterator[Row]:
    """Search for a part of a title, by one client alone: one part that few titles have, and one that many have."""
    paths = {
        "few have": "/tasks?q=471",
        "many have": "/tasks?q=brass",
        "many have, sorted": "/tasks?q=brass&sort=-title",
        "many have, with the total": "/tasks?q=brass&total=true",
    }
    for path in paths.values():
        assert json.loads(get(stage.many.port, path)[1])["count"]
    trials = {name: Trial(stage.many, partial(answered_by, path), connections=1) for name, path in paths.items()}
    milliseconds = {name: 1000 / figure.answers for name, figure in stage.rounds.medians(trials).items()}
    total = milliseconds.popitem()[1]
    for name, taken in milliseconds.items():
        yield below(f"search for what {name}, {stage.rows:,} rows", taken, 10, "ms")
    yield Row("the same, with the total", f"{total:,.3g} ms")


def bulks(stage: Stage) -> Iterator[Row]:
    """POST new tasks a thousand at a time, into an empty store and into a large one."""
    fresh = backroom(stage.executable, "(c) bulk", sqlite(stage.folder / "bulk.db"))
    with running(fresh, stage.folder, stage.rounds.cores) as server:
        few, many = (Trial(each, scripts.create_in_bulk, connections=4) for each in (server, stage.many))
        rates = stage.rounds.medians({"bulk": few, "bulk many": many})
    created = {name: figure.answers * scripts.BULK for name, figure in rates.items()}
    yield at_least(f"bulk of {scripts.BULK:,} creates", created["bulk"], 30_000, "entities/s")
    yield Row("the same, into many", f"{created['bulk many']:,.0f} entities/s")


def on_postgres(stage: Stage) -> Iterator[Row]:
    """GET one task and POST new ones, on PostgreSQL."""
    rounds = attrs.evolve(stage.rounds, disturbances=[])  # the database itself would count as a disturbance
    return postgres.measured(rounds, stage.rows, stage.executable, stage.folder)


def memory(stage: Stage) -> Iterator[Row]:
    """The resident memory after all other measurements."""
    yield below(f"memory, beginning with {FEW:,} rows", stage.few.memory() / 1e6, 80, "MB")
    yield below(f"memory, beginning with {stage.rows:,} rows", stage.many.memory() / 1e6, 80, "MB")


# In this order: sections that only read come before those that add rows, and memory comes last.
SECTIONS: Mapping[str, Callable[[Stage], Iterator[Row]]] = {
    "reads": reads,
    "pages": pages,
    "searches": searches,
    "writes": writes,
    "following": lambda stage: following(stage.rounds, stage.followed, stage.unfollowed, stage.feedless),
    "bulks": bulks,
    "access": lambda stage: access(stage.rounds, stage.executable, stage.folder),
    "postgres": on_postgres,
    "others": lambda stage: attacked(stage.rounds, stage.rows, stage.attacks, stage.executable, stage.folder),
    "memory": memory,
}


def answered_by(path: str, _: int) -> Script:
    """GET the same path, whatever the connection."""
    return scripts.repeat(path)


def everywhere(name: str, stage: Stage, script: Callable[[int], Script], status: int = 200) -> dict[str, Trial]:
    """Make the trials of one load on both forms of (b) and both sizes of (c)."""
    return {
        f"{name} (b)": Trial(stage.plain, script, status),
        f"{name} (b) timed": Trial(stage.timed, script, status),
        name: Trial(stage.few, script, status),
        f"{name} many": Trial(stage.many, script, status),
    }


def compared(what: str, name: str, rates: Mapping[str, Figure], stage: Stage, least: float) -> Iterator[Row]:
    """Make the rows that compare (c) with (b), and many rows with few."""
    yield compare(what, rates[name], "(b)", rates[f"{name} (b)"], least=least)
    yield compare(what, rates[name], "(b) timed", rates[f"{name} (b) timed"])
    yield compare(f"{what}, {stage.rows:,} rows", rates[f"{name} many"], f"{FEW:,} rows", rates[name], least=0.9)


def middle(server: Server, rows: int) -> str:
    """Follow `next` to the middle of all tasks, and return the path of that page."""
    step = min(1_000, rows // 20)
    path = f"/tasks?limit={step}"
    for _ in range(rows // 2 // step):
        path = json.loads(get(server.port, path)[1])["next"]
        if path is None:
            raise LoadError("the list ended before its middle")
    url = urlsplit(path)
    return f"{url.path}?{urlencode({**parse_qs(url.query), 'limit': PAGE}, doseq=True)}"
