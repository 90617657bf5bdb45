"""CSV out and in: with a preview, the service's own checks, progress, and nothing stored twice."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.service import Service, command, environment
from tests.page.accessibility import findings, sticking_out
from tests.page.steps import opened

MANY = 1234


def chosen(page: Page, content: str | bytes, of: str = "tasks") -> None:
    """Choose a file."""
    page.goto("/app/csv")
    page.get_by_label("What", exact=True).select_option(of)
    text = content.encode() if isinstance(content, str) else content
    page.get_by_label("Import a CSV file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": text})


def checked(page: Page) -> None:
    """Have the file checked."""
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("status").filter(has_text="Nothing is stored yet.")).to_be_visible()


def listed(service: Service, url: str) -> Any:
    """Return a list."""
    with service.client() as client:
        return client.get(url).json()


def test_out(tmp_path: Path, page: Page, service: Service) -> None:
    """All pages become one file, exactly as the list writes them."""
    with service.client() as client:
        some = [{"op": "create", "body": {"title": f'"{number}", ü', "notes": "a\nb"}} for number in range(1000)]
        for _ in range(2):
            client.post("/tasks/bulk", json={"operations": some}).raise_for_status()
        first = client.get("/tasks?limit=1000", headers={"Accept": "text/csv"})
        second = client.get(first.links["next"]["url"], headers={"Accept": "text/csv"}).text
    page.goto("/app/csv")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    expect(page.get_by_role("status").filter(has_text="2,000 rows are saved.")).to_be_visible()
    download.value.save_as(tmp_path / download.value.suggested_filename)
    saved = (tmp_path / "tasks.csv").read_bytes().decode()
    assert first.text + second.partition("\r\n")[2] == saved


def test_in(page: Page, service: Service) -> None:
    """Columns find their fields by name, breaches have the words of the service, and only good rows are stored."""
    rows = ['"Buy; ""milk""";2026-12-31;done;x', "", ";soon;nope;", '"Two\nlines";;;', ""]
    chosen(page, "\r\n".join(["\ufefftitle;Due;STATUS;mine", *rows]))
    preview = page.get_by_role("group", name="The file")
    expect(preview).to_contain_text('Buy; "milk"')
    expect(preview.get_by_label("Field of the column Due")).to_have_value("due")
    expect(preview.get_by_label("Field of the column mine")).to_have_value("")
    checked(page)
    wrong = page.get_by_role("group", name="What is wrong").locator("tbody tr")
    expect(wrong).to_have_text(
        [
            "4title–is required",
            "4Duesoonmust be a date such as 2026-12-31",
            "4STATUSnopemust be one of pending, in_progress, done, cancelled",
            "5titleTwo\nlinesmust not contain control characters or line breaks",
        ],
        use_inner_text=False,
    )
    assert [] == findings(page)
    assert 0 == sticking_out(page)
    assert 0 == listed(service, "/tasks")["count"]
    page.get_by_role("button", name="Import only the 1 good row").click()
    expect(page.get_by_role("status").filter(has_text="1 row is stored.")).to_be_visible()
    (task,) = listed(service, "/tasks")["tasks"]
    assert ('Buy; "milk"', "2026-12-31", "done") == (task["title"], task["due"], task["status"])


def test_products_by_their_sku(page: Page, service: Service) -> None:
    """Rows with a known SKU change the product, others make one; numbers arrive exactly."""
    with service.client() as client:
        client.post("/products", json={"name": "Old", "price": 1, "sku": "W-1"}).raise_for_status()
    chosen(page, "name,price,sku,stock\nNew,0.29,W-1,7\nOther,999999999.99,W-2,\n", of="products")
    page.get_by_label("The rows").select_option("sku")
    checked(page)
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_role("status").filter(has_text="2 rows are stored.")).to_be_visible()
    products = listed(service, "/products")["products"].values()
    assert [("New", 0.29, 7), ("Other", 999999999.99, None)] == [(p["name"], p["price"], p["stock"]) for p in products]


def test_what_was_exported_changes_nothing(tmp_path: Path, page: Page, service: Service) -> None:
    """A file that was exported is understood, and changes nothing; a row that somebody changed meanwhile is refused."""
    with service.client() as client:
        for title, due in (("=1+1", None), ("Plain", "2026-12-31")):
            client.post("/tasks", json={"title": title, "due": due})
        page.goto("/app/csv")
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as CSV").click()
        download.value.save_as(tmp_path / "tasks.csv")
        chosen(page, (tmp_path / "tasks.csv").read_bytes())
        page.get_by_label("The rows").select_option("id")
        checked(page)
        page.get_by_role("button", name="Import 2 rows").click()
        expect(page.get_by_role("status").filter(has_text="2 rows are stored.")).to_be_visible()
        assert [1, 1] == [each["version"] for each in client.get("/tasks").json()["tasks"]]
        client.patch("/tasks/2", json={"title": "Meanwhile"})
    chosen(page, (tmp_path / "tasks.csv").read_bytes())
    page.get_by_label("The rows").select_option("id")
    checked(page)
    expect(page.get_by_role("group", name="What is wrong")).to_contain_text("is 2 by now: title changed since")


def test_a_break_doubles_nothing(page: Page, service: Service) -> None:
    """After a break the import goes on: what was stored is not stored again, also where its answer was lost."""
    lost: list[str] = []

    def lose(route: Route) -> None:
        if "idempotency-key" in route.request.headers and len(lost) < 2:
            lost.append(route.request.headers["idempotency-key"])
            if len(lost) == 2:
                route.fetch()  # it takes effect, and the page never hears of it
                return route.abort()
        return route.continue_()

    page.route("**/tasks/import", lose)
    chosen(page, "title\n" + "".join(f"Task {number}\n" for number in range(MANY)))
    checked(page)
    page.get_by_role("button", name="Import 1234 rows").click()
    expect(page.get_by_role("status").filter(has_text="The service does not answer.")).to_be_visible()
    assert 1000.0 == page.get_by_role("progressbar").evaluate("bar => bar.value")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("status").filter(has_text="1,234 rows are stored.")).to_be_visible()
    assert MANY == listed(service, "/tasks?limit=1&total=true")["total"]
    assert 2 == len(set(lost))


def test_the_list_that_is_shown(tmp_path: Path, page: Page, service: Service) -> None:
    """A list is saved as it is filtered and ordered."""
    with service.client() as client:
        for title in ("Beans", "Apples", "Cheese", "Apple pie"):
            client.post("/tasks", json={"title": title}).raise_for_status()
        wanted = client.get("/tasks?q=apple&sort=title", headers={"Accept": "text/csv"}).text
    opened(page, "tasks?q=apple&sort=title")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    download.value.save_as(tmp_path / "tasks.csv")
    assert wanted == (tmp_path / "tasks.csv").read_bytes().decode()
    expect(page.locator(".notice")).to_contain_text("2 rows are saved.")


@pytest.mark.parametrize(
    ("encoding", "shown"), [("cp1252", "windows-1252"), ("utf-16", "utf-16le"), ("utf-8", "utf-8")]
)
def test_what_spreadsheets_write(page: Page, service: Service, encoding: str, shown: str) -> None:
    """Their encodings, separators and decimal commas are recognized, and shown."""
    chosen(page, "Name;Price;Stock\nKäse;1234,50;3\n".encode(encoding), of="products")
    expect(page.get_by_role("group", name="The file")).to_contain_text("Käse")
    expect(page.get_by_label("Its encoding")).to_have_value(shown)
    expect(page.get_by_label("Between cells")).to_have_value(";")
    expect(page.get_by_label("Prices")).to_have_value(",")
    checked(page)
    page.get_by_role("button", name="Import 1 row").click()
    expect(page.get_by_role("status").filter(has_text="1 row is stored.")).to_be_visible()
    (product,) = listed(service, "/products")["products"].values()
    assert ("Käse", 1234.5, 3) == (product["name"], product["price"], product["stock"])


def test_it_says_what_the_command_says(tmp_path: Path, page: Page, service: Service) -> None:
    """Of the same file, the page finds what `backroom import` finds, in the same words."""
    table = 'name,price,stock,sku\nA,1.999,1,X\nB,,-1,Y\nC,1,1,Y\n,1,1\nD,free,1,Z\nE,"1"2,1,\n'
    (tmp_path / "a.csv").write_text(table)
    store = f"sqlite:///{tmp_path / 'backroom.db'}"
    run = command("import", "products", "a.csv", "--to", store, "--dry-run", "--json")
    told = subprocess.run(run, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    faults = [json.loads(each) for each in told.stderr.splitlines() if each.startswith("{")]
    faults = [each for each in faults if "reason" in each]
    chosen(page, table, of="products")
    checked(page)
    wrong = page.get_by_role("group", name="What is wrong").locator("tbody tr")
    assert 6 <= len(faults)
    expect(wrong).to_have_text(
        [f"{each['line']}{each['column'] or ''}{each['value'] or '–'}{each['reason']}" for each in faults]
    )


def test_a_long_table(page: Page, service: Service) -> None:
    """Rows beyond one request are checked and stored, and rows of different requests that share a value are refused."""
    long = [f'Product {number},1,S-{number},"two\nlines"' for number in range(1500)]
    chosen(page, "\n".join(["name,price,sku,description", *long, "Last,1,S-7,"]), of="products")
    checked(page)
    wrong = page.get_by_role("group", name="What is wrong").locator("tbody tr")
    expect(wrong).to_have_text(["3002skuS-7is the same as in line 16"])
    expect(page.get_by_role("button", name="rows")).to_have_count(0)
    chosen(page, "\n".join(["name,price,sku,description", *long]), of="products")
    checked(page)
    page.get_by_role("button", name="Import 1500 rows").click()
    expect(page.get_by_role("status").filter(has_text="1,500 rows are stored.")).to_be_visible()
    assert 1500 == listed(service, "/products?limit=1&total=true")["total"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'title\n"open\n', "2–a quotation mark is never closed"),
        (b"", "1–the header is missing"),
        (b"due\n2026-12-31\n", "1–there is no column for title"),
    ],
)
def test_what_is_no_table(page: Page, service: Service, content: bytes, said: str) -> None:
    """A file that cannot be read is refused in words, with the line."""
    del service
    chosen(page, content)
    if content:
        checked(page)
    expect(page.get_by_role("group", name="What is wrong").locator("tbody tr")).to_have_text(said)


def test_another_encoding(page: Page, service: Service) -> None:
    """A file that is not in the encoding that was chosen is refused in words."""
    del service
    chosen(page, "title\nKäse\n".encode("cp1252"))
    page.get_by_label("Its encoding").select_option("utf-8")
    expect(page.get_by_role("status").filter(has_text="The file is not utf-8.")).to_be_visible()
