"""Calendars: how they are made and ended, and what their subscribers get."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import pytest
from icalendar import Calendar as Parsed

from adapters.http.middleware.access_log import Line, as_json, as_text
from adapters.shared_memory.rate_limits import SharedRateLimiter
from domain import calendar
from domain.access.key_text import hash_of, make_calendar_secret
from domain.access.rate_limit import FAILED_TRIES
from domain.ports import Store
from domain.public_types import CHANGE_TYPES
from tests.http.access import bearer, new_key
from tests.http.service import Client, serving
from tests.http.steps import NOON, asked, got, log, made, tasks, violations
from tests.http.test_access_log import lines

pytestmark = pytest.mark.anyio

DUE = {"due": "2026-02-03"}
UNKNOWN = f"/calendars/{make_calendar_secret(lambda characters: characters[0])}.ics"


async def subscribed(
    client: Client, sent: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> str:
    """Make a calendar, and return its URL."""
    response = await client.post("/calendars", json={"name": "The shop", **(sent or {})}, headers=headers)
    assert 201 == response.status_code, response.text
    url: str = response.json()["url"]
    return url


def components(response: httpx2.Response) -> list[Any]:
    """Return the tasks in a calendar."""
    assert (200, "text/calendar; charset=utf-8") == (response.status_code, response.headers["content-type"])
    parsed: Any = Parsed.from_ical(response.text)
    return [*parsed.subcomponents]


async def titles(client: Client, url: str) -> list[str]:
    """Return the titles of the tasks in a calendar."""
    return [str(each["SUMMARY"]) for each in components(await client.get(url))]


async def test_made_and_listed(client: Client, store: Store) -> None:
    """The answer to the creation has the URL; later answers have everything else."""
    key = bearer(await new_key(store, "write"))
    sent = {"name": " The shop ", "filter": "status=pending&due[lte]=2026-12-31", "as": "todo"}
    response = await client.post("/calendars", json=sent, headers=key)
    shown = {
        "id": 1,
        "name": "The shop",
        "filter": "status=pending&due[lte]=2026-12-31",
        "as": "todo",
        "created_at": NOON,
        "actor": {"key": 1, "name": "till 2"},
    }
    assert (201, "/calendars/1") == (response.status_code, response.headers["location"])
    assert {**shown, "url": response.json()["url"]} == response.json()
    assert shown == (await client.get("/calendars/1", headers=key)).json()
    assert {"calendars": [shown], "count": 1} == (await client.get("/calendars", headers=key)).json()
    assert {"deleted": shown} == (await client.delete("/calendars/1", headers=key)).json()
    for call in (client.get, client.delete):
        assert (404, "not_found") == asked(await call("/calendars/1", headers=key))
    assert 0 == (await client.get("/calendars", headers=key)).json()["count"]


async def test_by_default(client: Client) -> None:
    """Without a filter a calendar shows all tasks with a due date, as events, the latest first."""
    url = await subscribed(client)
    await tasks(client, DUE, {}, {"due": "2026-02-04", "status": "done"})
    assert ["t2", "t0"] == await titles(client, url)
    shown = await got(client, "/calendars/1")
    assert ("", "event", None) == (shown["filter"], shown["as"], shown["actor"])
    assert ["VEVENT", "VEVENT"] == [each.name for each in components(await client.get(url))]


@pytest.mark.parametrize(("form", "day"), [("event", "DTSTART"), ("todo", "DUE")])
async def test_what_a_task_looks_like(client: Client, form: str, day: str) -> None:
    """An event or a to-do has all that is known of a task, and where to find it."""
    url = await subscribed(client, {"as": form})
    await made(client, "tasks", title="Buy milk, bread", notes="a\nb", priority="high", **DUE)
    await client.put("/tasks/1", json={"status": "in_progress"})
    (found,) = components(await client.get(url))
    assert ("Buy milk, bread", "a\nb") == (found["SUMMARY"], found["DESCRIPTION"])
    assert (2, 1, "http://127.0.0.1:8000/app/tasks#1") == (found["SEQUENCE"], found["PRIORITY"], found["URL"])
    assert ("2026-02-03", NOON[:19]) == (f"{found[day].dt}", found["LAST-MODIFIED"].dt.isoformat()[:19])
    assert ("IN-PROCESS" if form == "todo" else "CONFIRMED") == found["STATUS"]
    assert 200 == (await client.get(str(found["URL"]))).status_code


async def test_its_head(client: Client) -> None:
    """A calendar says what it is called and how often to look again, and a saved file is not named by the secret."""
    response = await client.get(await subscribed(client, {"name": "Läden"}))
    parsed: Any = Parsed.from_ical(response.text)
    assert ["Läden"] * 2 == [parsed["NAME"], parsed["X-WR-CALNAME"]]
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT15M\r\nX-PUBLISHED-TTL:PT15M\r\n" in response.text
    assert "DESCRIPTION" not in parsed
    assert 'inline; filename="tasks.ics"' == response.headers["content-disposition"]
    assert "private, no-cache" == response.headers["cache-control"]


async def test_what_no_longer_matches_is_gone(client: Client) -> None:
    """A task that is done, deleted or without a date leaves a calendar of open tasks, and can come back."""
    url = await subscribed(client, {"filter": "status[in]=pending,in_progress"})
    await tasks(client, *[DUE] * 4)
    assert ["t0", "t1", "t2", "t3"] == await titles(client, url)
    await client.put("/tasks/1", json={"status": "done"})
    await client.put("/tasks/2", json={"due": None})
    await client.delete("/tasks/3")
    assert ["t3"] == await titles(client, url)
    await client.post("/tasks/3/restore")
    assert ["t2", "t3"] == await titles(client, url)


async def test_unchanged(client: Client) -> None:
    """A subscriber gets 304 for what it has, until a task of it changes."""
    url = await subscribed(client, {"filter": "status=pending"})
    await tasks(client, DUE, {**DUE, "status": "done"})
    etag = (await client.get(url)).headers["etag"]
    await client.put("/tasks/2", json={"title": "another"})
    unchanged = await client.get(url, headers={"If-None-Match": etag})
    assert (304, b"", "private, no-cache") == (
        unchanged.status_code,
        unchanged.content,
        unchanged.headers["cache-control"],
    )
    await client.put("/tasks/1", json={"title": "another"})
    assert 200 == (await client.get(url, headers={"If-None-Match": etag})).status_code
    assert 200 == (await client.head(url)).status_code


async def test_below_a_path(store: Store) -> None:
    """Behind a proxy, the URL of a calendar has its path, and the URLs of tasks have its host and scheme."""
    proxy = {"X-Forwarded-Prefix": "/shop", "X-Forwarded-Host": "shop.example", "X-Forwarded-Proto": "https"}
    async with serving(store, proxies=("*",)) as client:
        await made(client, "tasks", **DUE)
        url = await subscribed(client, headers=proxy)
        assert url.startswith("/shop/calendars/")
        (found,) = components(await client.get(url.removeprefix("/shop"), headers=proxy))
    assert "https://shop.example/shop/app/tasks#1" == found["URL"]


@pytest.mark.parametrize(
    ("sent", "broken", "told"),
    [
        ({"name": None, "filter": "x=1"}, [("/name", "required"), ("/filter", "bad_filter")], "name is required"),
        ({"filter": "stauts=done"}, [("/filter", "bad_filter")], "unknown parameter 'stauts' (did you mean status?"),
        ({"filter": "due[lte]=today"}, [("/filter", "bad_filter")], "due[lte] must be a date such as 2026-12-31"),
        ({"filter": "limit=5"}, [("/filter", "bad_filter")], "unknown parameter 'limit'"),
        ({"filter": "status=done&status=done"}, [("/filter", "bad_filter")], "parameter status is repeated"),
        ({"filter": "title=%FF"}, [("/filter", "bad_filter")], "not UTF-8"),
        ({"filter": "a" * 2001}, [("/filter", "too_long")], "0 to 2000 characters"),
        ({"filter": 1}, [("/filter", "wrong_type")], "must be text"),
        ({"as": "journal"}, [("/as", "not_a_choice")], "event, todo"),
        ({"url": "x"}, [("/url", "unknown_field")], "name, filter, as"),
        ({"name": "x" * 101}, [("/name", "too_long")], "1 to 100 characters"),
    ],
)
async def test_refused(client: Client, sent: dict[str, Any], broken: list[tuple[str, str]], told: str) -> None:
    """A filter is checked as that of a list is, and every violation is told."""
    response = await client.post("/calendars", json={"name": "x", **sent})
    assert broken == violations(response)
    assert told in response.json()["detail"]
    assert 0 == (await got(client, "/calendars"))["count"]


async def test_any_filter_of_a_list(client: Client) -> None:
    """What a list takes in its query, encoded or not, selects the same tasks here."""
    await tasks(client, {"title": "Ü & b", **DUE}, DUE, {"due": "2027-01-01"})
    for filter, found in {"title=Ü%20%26%20b": ["Ü & b"], "due[lt]=2027-01-01&title[gte]=u": ["Ü & b"]}.items():
        url = await subscribed(client, {"filter": filter})
        assert found == await titles(client, url)
        listed = (await got(client, f"/tasks?{filter}"))["tasks"]
        assert found == [each["title"] for each in listed]


@pytest.mark.parametrize("name", ["x", "1", "brc_", UNKNOWN[11:-5], UNKNOWN[11:-4].upper(), "%00"])
async def test_wrong_secrets(client: Client, store: Store, name: str) -> None:
    """A wrong secret finds nothing, and counts as a failed try. The right one works however many were wrong."""
    await new_key(store)
    path = f"/calendars/{name}.ics"
    tries = [asked(await client.get(path)) for _ in range(FAILED_TRIES.amount + 1)]
    assert [(404, "not_found")] * FAILED_TRIES.amount + [(429, "rate_limited")] == tries
    url = await subscribed(client, headers=bearer(await new_key(store, "write")))
    assert 200 == (await client.get(url)).status_code


async def test_a_mistyped_secret_is_not_looked_up(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what can be a secret asks the store."""
    asked_for: list[bytes] = []
    find = store.calendars.find

    async def noted(hash: bytes) -> calendar.Calendar | None:
        asked_for.append(hash)
        return await find(hash)

    monkeypatch.setattr(type(store.calendars), "find", lambda _, each: noted(each))
    for path in (UNKNOWN.replace("brc_0", "brc_1"), UNKNOWN.replace("brc", "brs"), UNKNOWN):
        await client.get(path)
    assert [hash_of(UNKNOWN[11:-4])] == asked_for


async def test_ended(client: Client, other: Client, store: Store) -> None:
    """A deletion holds at the next request in every process, and needs more than the right to read."""
    writer, reader = [bearer(await new_key(store, scope)) for scope in ("write", "read")]
    url = await subscribed(client, headers=writer)
    assert 200 == (await other.get(url)).status_code
    assert (403, "forbidden") == asked(await other.delete("/calendars/1", headers=reader))
    assert 200 == (await client.delete("/calendars/1", headers=writer)).status_code
    assert (404, "not_found") == asked(await other.get(url))


async def test_no_other_path_takes_the_secret(client: Client, store: Store) -> None:
    """The secret opens its own URL only: it is no key, no session, and nothing in a query."""
    key = bearer(await new_key(store, "write"))
    url = await subscribed(client, headers=key)
    secret = url.removeprefix("/calendars/").removesuffix(".ics")
    shown: list[dict[str, str]] = [bearer(secret), {"Cookie": f"backroom_session={secret}"}, {}]
    for headers in shown:
        for path in ("/tasks", "/calendars/1", f"/tasks?title={secret}", f"/calendars/{secret}", f"{url}/x"):
            assert (401, "unauthorized") == asked(await client.get(path, headers=headers)), path
            client.service.gate.limiter = SharedRateLimiter(buckets=64)
    assert (401, "unauthorized") == asked(await client.post("/session", json={"key": secret}))
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (401, "unauthorized") == asked(await client.request(method, url))
        assert (405, "method_not_allowed") == asked(await client.request(method, url, headers=key))


async def test_nothing_else_tells_the_secret(client: Client, store: Store) -> None:
    """Lists, the log, errors and the access log never hold a secret, nor what is left of a URL that was cut off."""
    url = await subscribed(client)
    secret = url.removeprefix("/calendars/").removesuffix(".ics")
    await made(client, "tasks", **DUE)
    await client.post("/webhooks", json={"url": "https://example.com/hook"})
    lines(client)
    client.service.log.clear()
    some = [await client.get(path) for path in ("/calendars", "/calendars/1", "/webhooks", "/webhooks/1/history", url)]
    some += [await client.get(path) for path in (f"{url}x", url[:-5], f"/tasks/{secret}", f"/x{url}", url.upper())]
    some.append(await client.raw("GET", url.replace("brc_", "%62rc_")))
    some.append(await client.get("/tasks", headers={"X-Request-ID": secret}))
    some.append(await client.delete("/calendars/1"))
    part = secret[4:-7]
    assert [] == [each.text for each in some if part in each.text or part in str(each.headers)]
    assert {each["type"] for each in await log(client)} <= set(CHANGE_TYPES)
    written = lines(client)
    assert [] == [line for line in written if part in line]
    assert 7 == sum(" /(secret) " in line for line in written)
    assert 1 == sum(" /calendars/1 " in line for line in written if " GET " in line)


WRITTEN = [
    "/calendars/{}.ics",
    "/calendars/{}.ics?x={}",
    "/calendars/{}.ics/",
    "/calendars/{}.ics/1",
    "/calendars/1/{}.ics",
    "//calendars//{}.ics",
    "/CALENDARS/{}.ICS",
    "/shop/calendars/{}.ics",
    "/calendars%2F{}.ics",
    "/calendars%252F{}.ics",
    "/%63alendars/{}.ics",
    "/%2563alendars/{}.ics",
    "/calendar/brc_{}.ics",
    "/brc_{}",
    "/x/%62%72%63_{}",
    "/x/%2562rc_{}",
    "/tasks/brc_{}",
    "/tasks?title=brc_{}",
]


@pytest.mark.parametrize("form", [as_text, as_json])
async def test_no_line_of_the_log_has_a_secret(client: Client, form: Callable[[Line], str]) -> None:
    """However the URL is written, cut off or mistaken, no part of its secret is in the access log."""
    client.service.access_log.format = form
    secret = (await subscribed(client)).removeprefix("/calendars/brc_").removesuffix(".ics")
    lines(client)
    client.service.log.clear()
    for target in WRITTEN:
        for shown in (secret, secret[:8], secret.upper()):
            await client.raw("GET", target.replace("{}", shown))
    told = lines(client)
    assert 3 * len(WRITTEN) == len(told)
    assert [] == [line for line in told if secret[:8].lower() in line.lower()]


async def test_paths_without_a_secret_are_in_the_log(client: Client) -> None:
    """Operators see which calendars were read and ended, and what was not found."""
    paths = ["/calendars", "/calendars/1", "/calendars/12", "/nope", "/a%20b"]
    lines(client)
    client.service.log.clear()
    for path in paths:
        await client.raw("GET", path)
    assert paths == [line.split()[3] for line in lines(client)]


async def test_no_stored_answer_has_the_url(client: Client) -> None:
    """A key for repeated requests is refused, because the store would keep the secret with the answer."""
    for method, path in (("POST", "/calendars"), ("DELETE", "/calendars/1")):
        response = await client.request(method, path, json={"name": "x"}, headers={"Idempotency-Key": "k"})
        assert (400, "bad_header") == asked(response)


async def test_validate_only(client: Client) -> None:
    """A dry run answers as the write would, and stores nothing."""
    dry = {"Prefer": "validate-only"}
    response = await client.post("/calendars", json={"name": "x"}, headers=dry)
    assert (201, "validate-only") == (response.status_code, response.headers["preference-applied"])
    assert 404 == (await client.get(response.json()["url"])).status_code
    url = await subscribed(client)
    assert 200 == (await client.delete("/calendars/1", headers=dry)).status_code
    assert 200 == (await client.get(url)).status_code


async def test_not_more_than_so_many_tasks(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A calendar shows the tasks that are due last, and says that it has left out others."""
    monkeypatch.setattr(calendar, "MAX_TASKS", 2)
    await tasks(client, *({"due": f"2026-02-0{day}"} for day in (3, 1, 2)))
    response = await client.get(await subscribed(client))
    assert ["t0", "t2"] == [str(each["SUMMARY"]) for each in components(response)]
    assert "X-WR-CALDESC:Only the" in response.text
    url = await subscribed(client, {"filter": "due[gte]=2026-02-02"})
    assert "X-WR-CALDESC" not in (await client.get(url)).text


async def test_not_more_than_so_many_calendars(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full store says that one must go before another can come."""
    monkeypatch.setattr(calendar, "MAX_CALENDARS", 1)
    await subscribed(client)
    assert (409, "too_many_calendars") == asked(await client.post("/calendars", json={"name": "x"}))
    await client.delete("/calendars/1")
    await subscribed(client)


async def test_a_filter_of_an_earlier_version(client: Client, store: Store) -> None:
    """A filter that is no longer understood is told to the subscriber, rather than a calendar with other tasks."""
    secret = make_calendar_secret(lambda characters: characters[1])
    decision = calendar.CreateCalendar(
        name="x", filter="colour=red", form=calendar.CalendarForm.EVENT, actor=None, secret=secret
    )
    await store.calendars.change(decision)
    assert (400, "bad_parameter") == asked(await client.get(f"/calendars/{secret}.ics"))
