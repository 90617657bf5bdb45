"""The documentation shows all of the OpenAPI document, and is found, read and printed with ease."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.service import Service
from tests.page.accessibility import findings
from tests.page.conftest import Person

TOLD = """
() => Object.fromEntries([...document.querySelectorAll("article[id]")].map((each) => [each.id, {
  tag: each.closest("main > section").id,
  parameters: [...each.querySelectorAll("form [name]")].map(({ name }) => name),
  needed: [...each.querySelectorAll(".parameters > li:has(.needed) label")].map(({ textContent }) => textContent),
  body: each.querySelector("textarea")?.value ?? null,
  examples: [...each.querySelectorAll(".reply pre")].map(({ textContent }) => textContent),
  problems: Object.fromEntries(
    [...each.querySelectorAll(".problems > li")].map((one) => [one.querySelector("a").textContent, one.textContent])),
}]))
"""


@pytest.fixture
def service(shared_service: Service) -> Service:
    """Return one service for all tests here."""
    return shared_service


@pytest.fixture(scope="module")
def document(shared_service: Service) -> Any:
    """Return the OpenAPI document."""
    with shared_service.client() as client:
        return client.get("/openapi.json").json()


def opened(page: Page, where: str = "") -> Page:
    """Open the documentation, and return once it is shown."""
    page.goto(f"/docs{where}")
    expect(page.locator("main")).to_have_attribute("aria-busy", "false")
    return page


def all_opened(page: Page) -> Page:
    """Open the documentation with every operation."""
    opened(page).get_by_role("button", name="Open all").click()
    return page


def operations(document: Any) -> list[tuple[str, str, Any]]:
    """Return the path, the method and the facts of each operation."""
    return [(path, method, facts) for path, methods in document["paths"].items() for method, facts in methods.items()]


def heading(page: Page, id: str) -> Locator:
    """Return the button that opens an operation."""
    return page.locator(f"#{id} h3 button")


def test_everything_is_told(page: Page, document: Any) -> None:
    """Each operation is under its tag, with its parameters, examples, and problems with their explanations."""
    told = all_opened(page).evaluate(TOLD)
    for path, method, facts in operations(document):
        shown, id = told[facts["operationId"]], facts["operationId"]
        assert f"tag-{facts['tags'][0]}" == shown["tag"]
        assert [each["name"] for each in facts.get("parameters", ())] == shown["parameters"]
        needed = [each["name"] for each in facts.get("parameters", ()) if each.get("required")]
        assert needed == shown["needed"]
        assert facts["summary"] in (text := heading(page, id).inner_text())
        assert path in text
        assert ("WS" if path == "/ws" else method.upper()) in text
        contents = [each.get("content", {}) for each in facts["responses"].values()]
        codes = {code for each in contents for one in each.values() for code in one.get("examples", ())}
        assert codes == set(shown["problems"])
        for code, words in shown["problems"].items():
            assert document["components"]["examples"][code]["value"]["detail"].replace("`", "") in words
        successes = [one for each in contents for one in each.values() if "example" in one]
        assert len(successes) == len(shown["examples"])
        assert ("requestBody" in facts) == (shown["body"] is not None)


def test_schemas_are_told(page: Page, document: Any) -> None:
    """A schema has the fields inside its fields, what is required, limits and defaults. Each has a place of its own."""
    opened(page, "#bulkProducts").locator("#bulkProducts form details").evaluate_all(
        "all => all.map(e => e.open = true)"
    )
    form = page.locator("#bulkProducts form")
    expect(form).to_contain_text("operations list of Create or Update or Delete or Restore or Upsert or Stock required")
    expect(form).to_contain_text("1 to 1,000 values")
    create = form.locator("details", has=page.locator("summary", has_text="Fields of Create")).last
    expect(create).to_contain_text("price number or text required")
    expect(create).to_contain_text("At most two decimals")
    expect(create).to_contain_text('by default "general"')
    for name, schema in document["components"]["schemas"].items():
        expect(page.locator(f"#schema-{name} h3")).to_have_text(name)
        for choice in schema.get("enum", ()):
            expect(page.locator(f"#schema-{name} > p code").get_by_text(choice, exact=True)).to_be_visible()
    assert 0 == page.locator("article a[href^='#schema-']").evaluate_all(
        "all => all.filter((each) => !document.querySelector(each.getAttribute('href'))).length"
    )


def test_choices_are_told(page: Page) -> None:
    """A field that has one of a few values names them all, also where they are a component and may be null."""
    form = opened(page, "#createTask").locator("#createTask form")
    form.locator("summary", has_text="Fields").click()
    expect(form).to_contain_text("status TaskStatus or null: pending, in_progress, done, cancelled optional")


def test_contents_lead_everywhere(page: Page) -> None:
    """Each entry of the table of contents leads to a place on the page."""
    opened(page)
    missing = "all => all.map((each) => each.getAttribute('href')).filter((each) => !document.querySelector(each))"
    links = page.get_by_role("navigation", name="Contents").locator("a")
    assert [] == links.evaluate_all(missing)
    assert links.count() > page.locator("article").count()
    links.filter(has_text="Create a task").click()
    expect(heading(page, "createTask")).to_have_attribute("aria-expanded", "true")
    expect(heading(page, "createTask")).to_be_focused()
    expect(page.locator("#createTask")).to_be_in_viewport()


def test_problems_lead_to_their_explanation(page: Page) -> None:
    """The link of a problem is its type, which answers with the explanation."""
    opened(page, "#problem-precondition_failed")
    page.locator("#problem-precondition_failed a").click()
    expect(page).to_have_url("/problems/precondition_failed")
    expect(page.get_by_role("heading")).to_contain_text("Precondition failed")


def test_search(page: Page) -> None:
    """Words narrow the page and its contents down, whatever they name: a path, a parameter, a problem, a schema."""
    opened(page)
    field, status = page.get_by_role("searchbox", name="Search"), page.locator("#found")
    for words, shown, hidden in (
        ("stock product", "adjustStockOfProduct", "createTask"),
        ("DELETE /tasks", "deleteTask", "deleteProduct"),
        ("wait", "pollChanges", "streamChanges"),
        ("cursor_expired", "problem-cursor_expired", "problem-not_found"),
        ("schema TaskBulk", "schema-TaskBulk", "schema-Task"),
    ):
        field.fill(words)
        expect(page.locator(f"#{shown}")).to_be_visible()
        expect(page.locator(f"#{hidden}")).to_be_hidden()
        expect(page.locator(f"nav a[href='#{shown}']")).to_be_visible()
        expect(page.locator(f"nav a[href='#{hidden}']")).to_be_hidden()
        expect(status).to_have_text(
            f"{page.locator('article:visible, main > section > ul > li:visible').count()} found"
        )
    field.fill("nothing has such a name")
    expect(status).to_have_text("0 found")
    field.fill("")
    expect(status).to_be_empty()
    expect(page.locator("#createTask")).to_be_visible()


def test_deep_links(page: Page) -> None:
    """The address of an operation opens it, also when it changes, and its heading gives the address."""
    opened(page, "#deleteProduct")
    expect(page.locator("#deleteProduct form")).to_be_visible()
    expect(page.locator("#deleteProduct")).to_be_in_viewport()
    page.get_by_role("link", name="Link to Read a webhook").click()
    expect(page).to_have_url("/docs#getWebhook")
    expect(page.locator("#getWebhook form")).to_be_visible()
    page.go_back()
    expect(heading(page, "deleteProduct")).to_be_focused()
    page.goto("/docs#schema-Task")
    expect(page.locator("#schema-Task")).to_contain_text("completed_at")


def test_keyboard(page: Page) -> None:
    """Single keys search, walk, open and explain themselves. They can be turned off, and stay away from fields."""
    opened(page)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("jokers")
    expect(page.get_by_role("searchbox")).to_have_value("jokers")
    page.get_by_role("searchbox").fill("post create")
    page.keyboard.press("Enter")
    expect(heading(page, "createTask")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#createTask form")).to_be_visible()
    page.keyboard.press("j")
    expect(heading(page, "createProduct")).to_be_focused()
    page.keyboard.press("k")
    expect(heading(page, "createTask")).to_be_focused()
    page.keyboard.press("o")
    expect(page.locator("#createTask form")).to_be_hidden()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("Next operation")
    dialog.get_by_label("Listen to single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).not_to_be_focused()
    page.reload()
    expect(page.locator("main")).to_have_attribute("aria-busy", "false")  # only now the button does something
    page.get_by_role("button", name="Keys", exact=True).click()
    expect(dialog.get_by_label("Listen to single keys")).not_to_be_checked()


def test_the_first_tab_skips_the_contents(page: Page) -> None:
    """The first press of Tab reaches a link that leads past the contents."""
    opened(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the reference")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (768, "light"), (1280, "dark")])
def test_it_is_accessible(person: Person, width: int, scheme: str) -> None:
    """In both themes and at each width axe finds nothing, and nothing is wider than the page."""
    page = person(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened(page, "#createTask").locator("#createTask .send").click()
    expect(page.locator("#createTask .output")).to_contain_text("201")
    heading(page, "followChanges").click()
    page.locator("main details:visible").evaluate_all("all => all.forEach((each) => each.open = true)")
    assert [] == findings(page)
    assert width == page.evaluate("document.documentElement.scrollWidth")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ("rgb(255, 255, 255)" == ground) == (scheme == "light")


def test_print(page: Page) -> None:
    """On paper there is the reference without what only a screen can do."""
    opened(page, "#createTask")
    page.emulate_media(media="print")
    for gone in ("nav", "#access", "#createTask .buttons", "#createTask input"):
        expect(page.locator(gone).first).to_be_hidden()
    for there in ("#createTask h3", "#createTask .reply pre", "#createTask figure pre"):
        expect(page.locator(there).first).to_be_visible()


def test_a_document_that_cannot_be_read(page: Page) -> None:
    """Where the document cannot be had, the page says so."""
    page.route("**/openapi.json", lambda route: route.fulfill(status=503, body=""))
    page.goto("/docs")
    expect(page.get_by_role("alert")).to_have_text(
        "The reference could not be shown: openapi.json was answered with 503."
    )
