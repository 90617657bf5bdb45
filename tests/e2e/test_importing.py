"""Importing files that others wrote, beside a running service."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from domain.rows import RowRules
from domain.task import TASK
from domain.use_cases.move import Report
from entrypoints.import_job import Job
from entrypoints.importing import Import
from entrypoints.output import Output
from tests.databases import Databases
from tests.e2e.receiver import receiving
from tests.e2e.service import Service, command, environment, running
from tests.e2e.test_cli import run
from tests.e2e.test_exporting import lines
from tests.e2e.test_moving import begun

SPREADSHEET = """Artikel;Preis;Warengruppe;Nummer;Bestand;Bemerkung;
Bürste, groß;9,99;Bürsten;B-1;12;"weich; rund
und ""schön""\";
Kamm;1.234,50;Kämme;K-1;3;;
Seife;2,5;Seifen;S-1;x;;
;1,00;Seifen;S-2;;;
Öl;12;Öle;B-1;;;
;;;;;;
Schere;24,90;;S 3;;;
Spiegel;19,90;;;;;
"""
COLUMNS = (
    "Artikel=name",
    "Preis=price",
    "Warengruppe=category",
    "Nummer=sku",
    "Bestand=stock",
    "Bemerkung=description",
)
AS_SPREADSHEETS_WRITE = (
    *("--delimiter", ";", "--decimal", ",", "--encoding", "cp1252"),
    *(word for each in COLUMNS for word in ("--column", each)),
)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty store, of each kind that other processes can open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/backroom.db"
    postgres: Databases = request.getfixturevalue("postgres")
    return asyncio.run(postgres.empty("imported"))


@pytest.fixture
def service(tmp_path: Path, store: str) -> Iterator[Service]:
    """Run a service on it."""
    with running(tmp_path, store=store, webhooks_allow_private="1") as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[httpx2.Client]:
    """Return a client of the service."""
    with service.client() as client:
        yield client


def products(client: httpx2.Client) -> list[Any]:
    """Return all products in the order of ids."""
    page = client.get("/products?limit=1000").json()
    return [page["products"][str(id)] for id in page["ids"]]


def tasks(folder: Path, count: int, name: str = "tasks.csv") -> Path:
    """Write a file with tasks."""
    file = folder / name
    file.write_text("title,notes\n" + "".join(f"Task {number},{'n' * 100}\n" for number in range(count)))
    return file


def test_a_spreadsheet(tmp_path: Path, store: str, client: httpx2.Client) -> None:
    """Its bad rows are told, and stop all; the good ones are imported; the others are mended, and follow."""
    file, rejected = tmp_path / "waren.csv", tmp_path / "waren.csv.rejected"
    file.write_bytes(SPREADSHEET.replace("\n", "\r\n").encode("cp1252"))
    arguments = ("import", "products", str(file), *AS_SPREADSHEETS_WRITE)
    refused = run(tmp_path, *arguments, store=store)
    assert (1, "") == (refused.returncode, refused.stdout)
    assert [
        "line 4: Preis '1.234,50' must be a number such as 1234,50, with at most two decimals"
        " and nothing between thousands",
        "line 5: Bestand 'x' must be a whole number",
        "line 6: Artikel is required",
        "line 7: Nummer 'B-1' is the same as in line 2",
        "line 9: Nummer 'S 3' must contain only the characters A-Za-z0-9._-",
        "5 of 7 rows cannot be imported; nothing was imported",
    ] == [line.partition("waren.csv: ")[2] for line in refused.stderr.splitlines() if "waren.csv" in line]
    assert [] == products(client)

    gone_on = run(tmp_path, *arguments, "--continue", store=store)
    assert 1 == gone_on.returncode
    told = f"5 rejected, which are in {rejected}: mend and import that file alone\n"
    assert f"2 created, 0 updated, 0 left as they are, {told}" in gone_on.stdout
    assert [
        ("Bürste, groß", 9.99, "Bürsten", 12, 'weich; rund\nund "schön"'),
        ("Spiegel", 19.9, "general", None, ""),
    ] == [
        (each["name"], each["price"], each["category"], each["stock"], each["description"]) for each in products(client)
    ]
    told = rejected.read_bytes().decode("cp1252")
    assert told.startswith("Artikel;Preis;Warengruppe;Nummer;Bestand;Bemerkung;;rejected\r\nKamm;1.234,50;")
    assert "Öl;12;Öle;B-1;;;;\"Nummer 'B-1' is the same as in line 2\"\r\n" in told

    for wrong, right in (("1.234,50", "1234,50"), (";x;", ";7;"), ("\r\n;1,00", "\r\nLauge;1,00"), ("B-1", "O-1")):
        told = told.replace(wrong, right, 1)
    rejected.write_bytes(told.replace("S 3", "S-3").encode("cp1252"))
    mended = run(tmp_path, "import", "products", str(rejected), *AS_SPREADSHEETS_WRITE, store=store)
    assert (0, True) == (mended.returncode, "imported 5 rows" in mended.stdout), mended.stderr
    assert ["B-1", None, "K-1", "S-1", "S-2", "O-1", "S-3"] == [each["sku"] for each in products(client)]
    assert [1234.5, 7] == [products(client)[2]["price"], products(client)[3]["stock"]]


def test_a_list_of_prices(tmp_path: Path, store: str, client: httpx2.Client) -> None:
    """Matched by sku, what differs is edited, and what does not is left alone, however often the file is imported."""
    for sku, price in (("A", 1), ("B", 2)):
        client.post("/products", json={"name": sku, "sku": sku, "price": price, "stock": 5})
    file = tmp_path / "prices.csv"
    file.write_text("\ufeffsku,price\nA,1.00\nB,3\n\n", encoding="utf-8")
    arguments = ("import", "products", str(file), "--match", "sku", "--update")
    assert "0 created, 1 updated, 1 left as they are\n" in run(tmp_path, *arguments, store=store).stdout
    assert [(1, 1, 5), (3, 2, 5)] == [(each["price"], each["version"], each["stock"]) for each in products(client)]
    assert "0 created, 0 updated, 2 left as they are\n" in run(tmp_path, *arguments, store=store).stdout
    file.write_text("sku,price\nA,1.00\nC,3\n")
    refused = run(tmp_path, *arguments, store=store)
    assert (1, True) == (refused.returncode, "line 3: name is required" in refused.stderr)


def test_an_export_that_was_edited(tmp_path: Path, store: str, client: httpx2.Client) -> None:
    """It comes back by id. Nobody's edit is overwritten: a row that was changed meanwhile is refused by its version."""
    for title in ("a", "b", "c"):
        client.post("/tasks", json={"title": title})
    file = tmp_path / "tasks.csv"
    run(tmp_path, "export", "tasks", "--output", str(file), store=store)
    file.write_text(file.read_text().replace(",a,pending", ",A,done").replace(",b,pending", ",B,pending"))
    client.patch("/tasks/2", json={"notes": "by somebody else"})
    client.patch("/tasks/3", json={"notes": "by somebody else"})
    file.write_text(re.sub(r'(,c,pending,normal,,)""', r"\1by somebody else", file.read_text()))
    arguments = ("import", "tasks", str(file), "--match", "id", "--update")
    refused = run(tmp_path, *arguments, store=store)
    assert (1, True) == (refused.returncode, "line 3: version '1' is 2 by now: notes changed since" in refused.stderr)
    assert 1 == refused.stderr.count(": line ")
    file.write_text(file.read_text().replace("\n2,1,", "\n2,2,"))
    assert "0 created, 2 updated, 1 left as they are\n" in run(tmp_path, *arguments, store=store).stdout
    listed = client.get("/tasks").json()["tasks"]
    assert [("A", "done"), ("B", "pending"), ("c", "pending")] == [(each["title"], each["status"]) for each in listed]


def test_everything_into_another_store(tmp_path: Path, store: str, client: httpx2.Client) -> None:
    """An export of all types can be imported type by type; every row makes an entity with an id of its own."""
    for title in ("a", "b"):
        client.post("/tasks", json={"title": title, "notes": "ä\n\t😀"})
    client.delete("/tasks/1")
    client.post("/products", json={"name": "n", "price": 9.9})
    with (tmp_path / "all.ndjson").open("w") as out:
        out.write(run(tmp_path, "export", "all", "--history", store=store).stdout)
    other = f"sqlite:///{tmp_path}/other.db"
    for what in ("tasks", "products"):
        imported = run(tmp_path, "import", what, "all.ndjson", "--to", other)
        assert (0, True) == (imported.returncode, "imported 1 rows" in imported.stdout), imported.stderr
    (task,) = lines(run(tmp_path, "export", "tasks", store=other).stdout)
    assert (1, "b", "ä\n\t😀") == (task["id"], task["title"], task["notes"])


def test_followers_and_webhooks_see_it(tmp_path: Path, service: Service, store: str, client: httpx2.Client) -> None:
    """Another process imports, and the running service tells its followers and its webhooks."""
    with receiving() as receiver:
        client.post("/webhooks", json={"url": receiver.url})
        start = client.get("/changes?after=now").json()["cursor"]
        assert 0 == run(tmp_path, "import", "tasks", str(tasks(tmp_path, 3)), store=store).returncode
        changes = client.get(f"/changes?after={start}&wait=30").json()["changes"]
        assert ["Task 0", "Task 1", "Task 2"] == [each["data"]["title"] for each in changes]
        assert {None} == {each["actor"] for each in changes}
        assert all(each["request_id"].startswith("import-") for each in changes)
        assert receiver.wait_for(3, within=60)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_ended_in_the_middle(tmp_path: Path, store: str, number: int) -> None:
    """Killed or interrupted after some blocks, it is run again, and every row is there once, in order."""
    file = str(tasks(tmp_path, 3500))
    process = begun("importing:2000", "import", "tasks", file, "--to", store)
    process.send_signal(number)
    _, said = process.communicate()
    if number == signal.SIGINT:
        assert 130 == process.returncode
        assert re.search(
            r"interrupted; [23],000 of 3,500 rows were imported; the same command goes on from there", said
        )
    again = run(tmp_path, "import", "tasks", file, "--to", store)
    assert (0, True) == (again.returncode, " imported before (--again imports them once more)" in again.stdout), again
    titles = [each["title"] for each in lines(run(tmp_path, "export", "tasks", store=store).stdout)]
    assert [f"Task {number}" for number in range(3500)] == titles
    third = json.loads(run(tmp_path, "import", "tasks", file, "--to", store, "--json").stdout)
    assert (3500, 0) == (third["before"], third["created"])
    once_more = json.loads(run(tmp_path, "import", "tasks", file, "--to", store, "--json", "--again").stdout)
    assert (0, 3500) == (once_more["before"], once_more["created"])


def test_killed_while_it_rejects(tmp_path: Path) -> None:
    """There is no half of a file of rejected rows; run again, it has all of them, and nothing is there twice."""
    file = tasks(tmp_path, 3500)
    file.write_text(file.read_text().replace("Task 5,", ",").replace("Task 3000,", ","))
    store = f"sqlite:///{tmp_path}/new.db"
    process = begun("importing:2000", "import", "tasks", str(file), "--to", store, "--continue")
    process.kill()
    process.communicate()
    rejected = tmp_path / "tasks.csv.rejected"
    assert not rejected.exists()
    assert 1 == run(tmp_path, "import", "tasks", str(file), "--to", store, "--continue").returncode
    assert 3 == len(rejected.read_text().splitlines())
    assert 3498 == len(run(tmp_path, "export", "tasks", store=store).stdout.splitlines())
    file.write_text(file.read_text().replace("\n,", "\nMended,"))
    for option, code in (("--continue", 2), ("--quiet", 2), ("--dry-run", 0)):
        again = run(tmp_path, "import", "tasks", str(file), "--to", store, option)
        assert (code, code == 2) == (again.returncode, "tasks.csv.rejected is there already" in again.stderr)
    rejected.unlink()
    assert 0 == run(tmp_path, "import", "tasks", str(file), "--to", store).returncode


def test_dry_run(tmp_path: Path, store: str, client: httpx2.Client) -> None:
    """It checks all that an import would check, and writes nothing, not even a new store."""
    client.post("/products", json={"name": "n", "price": 1, "sku": "A"})
    (tmp_path / "p.csv").write_text("name,price,sku\nn,1,B\n")
    assert "checked 1 rows in " in run(tmp_path, "import", "products", "p.csv", "--dry-run", store=store).stdout
    (tmp_path / "p.csv").write_text("name,price,sku\nn,1,A\n")
    refused = run(tmp_path, "import", "products", "p.csv", "--dry-run", store=store)
    assert (1, True) == (refused.returncode, "line 2: sku 'A' already belongs to product 1" in refused.stderr)
    assert ["A"] == [each["sku"] for each in products(client)]
    checked = run(tmp_path, "import", "products", "p.csv", "--dry-run", "--to", "sqlite:///new/new.db")
    assert (0, False) == (checked.returncode, (tmp_path / "new").exists())


def test_from_a_pipe(tmp_path: Path) -> None:
    """Stdin and named pipes are read to their end before the first check."""
    store = f"sqlite:///{tmp_path}/new.db"
    script = (
        f"printf 'title\\na\\n' | {sys.executable} -m entrypoints import tasks - --format csv && "
        f"{sys.executable} -m entrypoints export tasks |"
        f" {sys.executable} -m entrypoints import tasks - --format ndjson && "
        f"{sys.executable} -m entrypoints import tasks --format csv <(printf 'title\\nb\\n')"
    )
    done = subprocess.run(
        ["bash", "-ec", script],
        env=environment(store=store),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    exported = run(tmp_path, "export", "tasks", store=store).stdout
    assert ["a", "a", "b"] == [each["title"] for each in lines(exported)]


def test_for_programs(tmp_path: Path) -> None:
    """With --json violations, progress and result are objects; with --quiet there are only errors."""
    file = tmp_path / "t.csv"
    file.write_text("Titel,due\n,x\n")
    arguments = ("import", "tasks", "t.csv", "--column", "Titel=title", "--to", "sqlite:///new.db")
    told = [json.loads(line) for line in run(tmp_path, *arguments, "--json").stderr.splitlines() if line[0] == "{"]
    assert {"stage": "checking", "done": 13, "total": 13} in told
    assert [
        {"line": 2, "column": "Titel", "value": "", "code": "required", "reason": "is required"},
        {"line": 2, "column": "due", "value": "x", "code": "not_a_date", "reason": "must be a date such as 2026-12-31"},
    ] == [each for each in told if "line" in each]
    file.write_text("title,due\na,\n")
    done = run(tmp_path, "import", "tasks", "t.csv", "--to", "sqlite:///new.db", "--json")
    assert {"rows": 1, "created": 1, "updated": 0, "unchanged": 0, "before": 0, "refused": 0} == {
        name: value for name, value in json.loads(done.stdout).items() if name != "seconds"
    }
    quiet = run(tmp_path, "import", "tasks", "t.csv", "--to", "sqlite:///new.db", "--quiet")
    assert (0, "", "") == (quiet.returncode, quiet.stdout, quiet.stderr)


def test_very_many_errors(tmp_path: Path) -> None:
    """The first hundred are told, and the number of the others."""
    (tmp_path / "t.csv").write_text("title,due\n" + "a,x\n" * 1234)
    ended = run(tmp_path, "import", "tasks", "t.csv")
    assert 100 == ended.stderr.count(": line ")
    assert "t.csv: and 1,134 more errors" in ended.stderr
    assert "t.csv: 1,234 of 1,234 rows cannot be imported; nothing was imported" in ended.stderr


@pytest.mark.parametrize(
    ("content", "options", "code", "said"),
    [
        (b"", (), 1, r"t.csv: line 1: the header is missing; nothing was imported"),
        (b"titel\na\n", (), 1, r"the column 'titel' is not a field \(did you mean title\?"),
        (b"title;due\na;\n", (), 1, r"if ';' stands between the columns, say --delimiter ';'"),
        (b"title,title\na,b\n", (), 1, r"there are 2 columns for title"),
        (b"due\n2026-01-01\n", (), 1, r"there is no column for title"),
        (b"title\na\n", ("--column", "Titel=title"), 1, r"there is no column 'Titel' \(did you mean title\?"),
        (b"title\nM\xfcsli\n", (), 1, r"line 2: byte 2 \(0xfc\) is no character in utf-8\n(.*\n)*hint: .*cp1252"),
        (b"title\n\x81\n", ("--encoding", "cp1252"), 1, r"line 2: byte 1 \(0x81\) is no character in cp1252"),
        ("title\na\n".encode("utf-16"), (), 1, r"it begins as utf-16 does: say --encoding utf-16"),
        (b"\xef\xbb\xbftitle\na\n", ("--encoding", "cp1252"), 1, r"it begins as utf-8 does: say --encoding utf-8"),
        (b"title\na\0b\n", (), 1, r"line 2: holds a NUL"),
        (b'title\n"a\n', (), 1, r"line 2: a quotation mark is never closed"),
        (b"title\n" + b"x" * 1_100_000, (), 1, r"line 2: it has more than 1,048,576 characters"),
        (b"title\na\n", ("--update",), 2, r"--update needs --match"),
        (b"title\na\n", ("--match", "sku"), 2, r"--match sku: tasks have no sku"),
        (b"title\na\n", ("--match", "id"), 1, r"there is no column for id"),
        (b"title\na\n", ("--delimiter", ";;"), 2, r"--delimiter must be one sign"),
        (b"title\na\n", ("--encoding", "klingon"), 2, r"--encoding: 'klingon' is unknown"),
        (b"title\na\n", ("--encoding", "base64"), 2, r"--encoding: 'base64' is unknown"),
        (b"title\na\n", ("--column", "title=titel"), 2, r"--column: titel is not a field \(did you mean title\?"),
        (b"title\na\n", ("--column", "title"), 2, r"--column must be TITLE=FIELD"),
        (b"title\na\n", ("--to", "memory://"), 2, r"STORE must not be memory://"),
        (
            b"title\na\n",
            ("--to", "postgresql://u:hush@127.0.0.1:1/d"),
            1,
            r"127.0.0.1:1/d: PostgreSQL cannot be reached",
        ),
    ],
)
def test_what_cannot_be_imported(
    tmp_path: Path, content: bytes, options: tuple[str, ...], code: int, said: str
) -> None:
    """The error says what is wrong, where, and what to do; nothing is made."""
    (tmp_path / "t.csv").write_bytes(content)
    ended = run(tmp_path, "import", "tasks", "t.csv", *options)
    assert code == ended.returncode, ended.stderr
    assert re.search(said, ended.stderr), ended.stderr
    assert "hush" not in ended.stderr
    assert ("", ["t.csv"]) == (ended.stdout, [each.name for each in tmp_path.iterdir()])


def test_what_is_no_file(tmp_path: Path) -> None:
    """A missing file, a folder, and an unknown format are told."""
    (tmp_path / "t.txt").touch()
    for arguments, code, said in (
        (("none.csv",), 1, "none.csv: No such file or directory; nothing was imported"),
        ((".", "--format", "csv"), 1, ".: Is a directory; nothing was imported"),
        (("t.txt",), 2, "say --format csv or --format ndjson"),
        (("-",), 2, "say --format csv or --format ndjson"),
    ):
        ended = run(tmp_path, "import", "tasks", *arguments)
        assert (code, True) == (ended.returncode, said in ended.stderr), ended.stderr


def test_a_file_that_grows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that somebody writes to between the check and the import is not imported."""
    file = tasks(tmp_path, 3)

    class Growing(Output):
        def progress(self) -> Report:
            def grow(what: str, done: int, total: int) -> None:
                if (what, done) == ("checking", total):
                    file.write_text(file.read_text() + "One more,\n")

            return grow

    rules = RowRules(entity_type=TASK)
    job = Job(target=f"sqlite:///{tmp_path}/new.db", file=file, rules=rules, format="csv")
    assert 1 == Import(job, Growing("quiet")).run()
    assert "tasks.csv: somebody wrote to it meanwhile; nothing was imported" in caplog.text


def test_commands_are_told_apart(tmp_path: Path) -> None:
    """The help of the command is found under its name, which is a word of Python."""
    ended = subprocess.run(command("import", "--help"), capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (0, True) == (ended.returncode, "Import tasks or products from FILE" in ended.stdout)
