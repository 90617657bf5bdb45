"""Problems: tests produce every code, every error has a code, and no problem shows internals."""

import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest

from adapters.http.responses.http_errors import HttpError
from adapters.http.responses.problems import PROBLEMS
from domain.errors import DomainError, KeyInFlight, StorageFull, Unavailable
from domain.ports import Store
from tests.builders import Clock
from tests.http.service import Client, serving
from tests.http.steps import JSON, MINIMAL, asked, deleted, log, made

pytestmark = pytest.mark.anyio

SKU = {**MINIMAL["products"], "sku": "A-1"}
ANY = {"If-Match": "*"}

PRODUCED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "malformed_request": ("GET", "/", {"headers": {"Host": "example.com"}}),
    "upgrade_required": ("GET", "/ws", {}),
    "malformed_json": ("POST", "/tasks", {"content": b"{", "headers": JSON}),
    "bad_parameter": ("GET", "/tasks?nope=1", {}),
    "bad_cursor": ("GET", "/tasks?cursor=x", {}),
    "bad_header": ("PUT", "/tasks/1", {"json": {}, "headers": {"If-Match": "1"}}),
    "bad_origin": ("POST", "/tasks", {"headers": {"Origin": "https://example.com"}}),
    "not_found": ("GET", "/tasks/9", {}),
    "method_not_allowed": ("PUT", "/tasks", {}),
    "not_acceptable": ("GET", "/tasks", {"headers": {"Accept": "image/png"}}),
    "already_exists": ("POST", "/products", {"json": SKU}),
    "insufficient_stock": ("POST", "/products/2/stock", {"json": {"change": -9}, "headers": ANY}),
    "stock_not_tracked": ("POST", "/products/1/stock", {"json": {"change": 1}, "headers": ANY}),
    "not_deleted": ("POST", "/products/1/restore", {"headers": ANY}),
    "cursor_expired": ("GET", "/changes?after={expired}", {}),
    "precondition_failed": ("DELETE", "/products/1", {"headers": {"If-Match": '"9"'}}),
    "body_too_large": ("POST", "/tasks", {"content": b" " * 2000, "headers": JSON}),
    "unsupported_media_type": ("POST", "/tasks", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}),
    "invalid": ("POST", "/tasks", {"json": {}}),
    "idempotency_key_reused": ("POST", "/tasks", {"json": {"title": "b"}, "headers": {"Idempotency-Key": "used"}}),
    "precondition_required": ("PUT", "/products/1", {"json": {}}),
    "range_not_satisfiable": ("GET", "/static/style.css", {"headers": {"Range": "bytes=99999-"}}),
}
OF_THE_STORE: dict[str, Exception] = {
    "idempotency_key_in_flight": KeyInFlight(),
    "unavailable": Unavailable(),
    "storage_full": StorageFull(),
    "internal_error": RuntimeError("SELECT secret FROM inside"),
}
ELSEWHERE = {
    "timeout": "the server refuses it before the application hears of it: tests/protocol",
    "uri_too_long": "the same",
    "headers_too_large": "the same",
    "unauthorized": "keys: tests/http/test_access.py, tests/http/test_keys.py",
    "forbidden": "the same",
    "last_admin_key": "the same",
    "too_many_calendars": "there may be a thousand: tests/http/test_calendars.py",
    "too_many_keys": "a thousand keys take too long here: tests/unit/test_key_ring.py",
    "rate_limited": "a setting: tests/http/test_rate_limit.py",
}


class Failing:
    """A store whose every call fails."""

    def __init__(self, store: Store, error: Exception) -> None:
        self._store = store
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name in ("secret", "close", "access_keys", "calendars"):
            return getattr(self._store, name)

        async def fail(*_: Any, **__: Any) -> Any:
            raise self._error

        return fail


def failing(store: Store, error: Exception) -> Store:
    """Return a store whose calls fail with this error."""
    return cast("Store", Failing(store, error))


def descendants(of: type[Exception]) -> Iterator[type[Exception]]:
    """Yield every class that derives from one."""
    for each in of.__subclasses__():
        yield each
        yield from descendants(each)


def test_every_code_is_produced() -> None:
    """Every code is seen in a test, or has a reason why no test here can see it."""
    assert set(PROBLEMS) == {*PRODUCED, *OF_THE_STORE, *ELSEWHERE}


@pytest.mark.parametrize("code", PRODUCED)
async def test_produced(store: Store, clock: Clock, code: str) -> None:
    """Each code comes with its status and all fields of a problem."""
    async with serving(store, hosts=("127.0.0.1",), max_body=1024, require_if_match=True) as client:
        await made(client, "tasks")
        expired = (await log(client))[0]["cursor"]
        await client.post("/products", json=SKU)
        await made(client, "products", stock=1)
        await client.post("/tasks", json=MINIMAL["tasks"], headers={"Idempotency-Key": "used"})
        await store.purge(clock.now, changes_before=clock.now.replace(hour=13))
        method, path, more = PRODUCED[code]

        response = await client.request(method, path.format(expired=expired), **more)

    assert_whole(response.json(), code)
    assert response.headers["x-request-id"] == response.json()["request_id"]
    assert (PROBLEMS[code].status, code) == asked(response)


@pytest.mark.parametrize("code", OF_THE_STORE)
async def test_produced_by_the_store(store: Store, code: str, caplog: pytest.LogCaptureFixture) -> None:
    """An error of the store gets its own problem, in reads and writes, and shows no internals."""
    async with serving(failing(store, OF_THE_STORE[code])) as client:
        writes: list[tuple[str, str, Any]] = [
            ("POST", "/tasks", MINIMAL["tasks"]),
            ("PUT", "/tasks/1", {}),
            ("DELETE", "/tasks/1", None),
            ("POST", "/tasks/1/restore", None),
            ("POST", "/products/1/stock", {"change": 1}),
            ("POST", "/tasks/bulk", {"operations": [{"op": "delete", "id": 1}]}),
        ]
        reads = [("GET", path, None) for path in ("/tasks", "/tasks/1", "/tasks/1/history", "/changes", "/readyz")]
        for method, path, body in [*writes, *(reads if code in ("unavailable", "internal_error") else [])]:
            response = await client.request(method, path, json=body)
            assert (PROBLEMS[code].status, code) == asked(response), (method, path)
            assert_whole(response.json(), code)
            assert dict(PROBLEMS[code].headers).get(b"retry-after", b"").decode() == response.headers.get(
                "retry-after", ""
            )
            assert "SELECT" not in response.text
            assert "RuntimeError" not in response.text
            logged = [each for each in caplog.records if response.headers["x-request-id"] in each.getMessage()]
            assert (code == "internal_error") is any(each.exc_info for each in logged if each.levelno == logging.ERROR)


def assert_whole(problem: dict[str, Any], code: str) -> None:
    """Check that a problem has every field of problems."""
    entity_type = PROBLEMS[code]
    expected = {"type": f"/problems/{code}", "title": entity_type.title, "status": entity_type.status, "code": code}
    assert expected.items() <= problem.items()
    assert problem["detail"] == problem["error"] != ""


def test_every_error_has_a_problem() -> None:
    """The table has every error, and nothing that is neither an error nor a fault of the service."""
    errors: list[Any] = [*descendants(DomainError), *descendants(HttpError)]

    assert set(PROBLEMS) == {each.code for each in errors} | {"internal_error"}


async def test_every_code_is_explained(client: Client) -> None:
    """The type of a problem is a URL that explains it to programs and people."""
    for code, entity_type in PROBLEMS.items():
        for_programs = await client.get(f"/problems/{code}")
        for_people = await client.get(f"/problems/{code}", headers={"Accept": "text/html"})

        expected = {
            "code": code,
            "status": entity_type.status,
            "title": entity_type.title,
            "explanation": entity_type.explanation,
        }
        assert expected == for_programs.json()
        assert "text/html; charset=utf-8" == for_people.headers["content-type"]
        assert entity_type.title in for_people.text
        assert "Accept, Accept-Encoding" == for_programs.headers["vary"] == for_people.headers["vary"]


async def test_no_such_problem(client: Client) -> None:
    """An unknown code has no explanation."""
    for code in ("nope", "Not_found", "not_found%0A", "%3Cscript%3E"):
        response = await client.raw("GET", f"/problems/{code}", headers={"Accept": "text/html, application/json"})
        assert (404, "not_found") == asked(response)
        assert "script" not in response.text


async def test_a_refused_request_changes_nothing(client: Client) -> None:
    """A failed request changes nothing in the store."""
    await deleted(client, "products", sku="A-1")
    await made(client, "products", sku="A-1")
    before = await log(client)

    for method, path, more in PRODUCED.values():
        if "expired" not in path and more.get("headers") != ANY:
            await client.request(method, path, **{**more, "headers": {**more.get("headers", {}), "Accept": "x/y"}})

    assert before == await log(client)
