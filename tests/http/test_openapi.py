"""The OpenAPI document is valid, complete and true, and the check of responses against it can fail."""

from typing import Any

import httpx2
import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from adapters.http.responses.problems import PROBLEMS
from adapters.http.routes.router import Router
from domain.entity_type import MAX_ID
from domain.task import TASK
from entrypoints.documentation import openapi
from tests.http.documented import Documented, NotDocumented
from tests.http.service import Client
from tests.http.steps import got

pytestmark = pytest.mark.anyio

METHODS = ("get", "post", "put", "patch", "delete")
BODY_CODES = {"malformed_json", "body_too_large", "unsupported_media_type", "invalid", "timeout"}
WRITE_CODES = {"bad_header", "bad_origin", "idempotency_key_in_flight", "idempotency_key_reused", "storage_full"}
ALWAYS = {
    "malformed_request",
    "bad_parameter",
    "not_acceptable",
    "uri_too_long",
    "headers_too_large",
    "internal_error",
    "unavailable",
}
KEPT_CODES = {"idempotency_key_in_flight", "idempotency_key_reused"}
STAMPS = {
    "x-request-id": "r",
    "x-process-time": "0.42ms",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def operations(document: Any) -> list[tuple[str, str, Any]]:
    """Return the path, the method and the description of each operation."""
    return [(path, method, each[method]) for path, each in document["paths"].items() for method in each]


def codes(operation: Any) -> set[str]:
    """Return the codes that an operation declares."""
    contents = [each.get("content", {}) for each in operation["responses"].values()]
    return {code for each in contents for code in each.get("application/problem+json", {}).get("examples", {})}


def test_is_valid() -> None:
    """The document is OpenAPI 3.1, which client generators accept. It is the same on every store, by the next test."""
    document = orjson.loads(openapi())

    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


async def test_is_what_the_command_prints(client: Client) -> None:
    """The command line prints the same document as the service returns."""
    assert orjson.loads(openapi()) == await got(client, "/openapi.json")


async def test_has_every_route_and_nothing_else(client: Client) -> None:
    """Every route is documented, except files and WebSockets, and every documented path has a route."""
    app: Any = client.service.app
    while not isinstance(app, Router):
        app = app._app
    routed = {each for each in app.endpoints if not each.startswith("/static/")}
    assert routed == set((await got(client, "/openapi.json"))["paths"])


async def test_has_every_method_and_nothing_else(client: Client) -> None:
    """The methods in Allow are the documented ones, besides HEAD and OPTIONS."""
    for path, documented in (await got(client, "/openapi.json"))["paths"].items():
        allowed = (await client.options(path.replace("{", "").replace("}", ""))).headers["allow"].split(", ")
        assert set(documented) == {each.lower() for each in allowed} - {"head", "options"}, path


async def test_operations_have_names_of_their_own(client: Client) -> None:
    """No two operations share a name, from which generators make theirs."""
    names = [each["operationId"] for *_, each in operations(await got(client, "/openapi.json"))]

    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


def unnamed(schema: Any, place: str) -> list[str]:
    """Return the places inside a schema at which there is an object with fields and without a name."""
    if isinstance(schema, list):
        return [each for value in schema for each in unnamed(value, place)]
    if not isinstance(schema, dict):
        return []
    inside = [each for name, value in schema.items() for each in unnamed(value, f"{place}.{name}")]
    return [*([place] if schema.get("type") == "object" and "properties" in schema else []), *inside]


async def test_objects_have_names(client: Client) -> None:
    """Each object of a request or an answer is a component, because generators name classes by it."""
    document = await got(client, "/openapi.json")
    for _, _, operation in operations(document):
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        schemas = [one["schema"] for each in contents for one in each.get("content", {}).values()]
        assert [] == unnamed(schemas, operation["operationId"])
    components = document["components"]["schemas"]
    for name, schema in components.items():
        if not name.endswith("Bulk"):  # its operations have titles
            assert [] == unnamed(schema.get("properties", {}), name)


async def test_tags_are_described(client: Client) -> None:
    """Each tag says what it is about; that of entities is what their type declares."""
    tags = {each["name"]: each["description"] for each in (await got(client, "/openapi.json"))["tags"]}
    assert TASK.meaning == tags["tasks"] != ""


async def test_declares_what_can_go_wrong(client: Client) -> None:
    """Each operation declares at least the codes of its type. Other tests cover the rest."""
    for path, method, operation in operations(await got(client, "/openapi.json")):
        expected = set(ALWAYS)
        expected |= {"not_found", "invalid"} if "{id}" in path else set()
        expected |= BODY_CODES if "requestBody" in operation else set()
        expected |= WRITE_CODES if method != "get" else set()
        expected -= KEPT_CODES if path.startswith(("/keys", "/session", "/calendars")) else set()  # no secret is stored
        expected |= {"unauthorized", "forbidden"} if operation["security"] else set()
        assert set() == expected - codes(operation), (method, path)
        assert codes(operation) <= set(PROBLEMS)


async def test_shows_each_problem(client: Client) -> None:
    """Each code has an example that fits the schema of problems."""
    document = await got(client, "/openapi.json")

    assert set(PROBLEMS) == set(document["components"]["examples"])
    for code, example in document["components"]["examples"].items():
        response = httpx2.Response(
            404, json=example["value"], headers={**STAMPS, "content-type": "application/problem+json"}
        )
        response.request = httpx2.Request("GET", "http://localhost/nope")
        Documented(document).check(response, whole=True)
        assert f"/problems/{code}" == example["value"]["type"]


def good(**changes: Any) -> dict[str, Any]:
    """Return the parts of a documented response to GET /healthz, with these changes."""
    return {"status": 200, "headers": {"content-type": "application/json"}, "body": b'{"status":"ok"}', **changes}


UNDOCUMENTED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a status": ("GET", "/healthz", good(status=201)),
    "a body": ("GET", "/healthz", good(body=b'{"status":"bad"}')),
    "a media type": ("GET", "/healthz", good(headers={"content-type": "text/plain"})),
    "no media type": ("GET", "/healthz", good(headers={})),
    "a header": ("GET", "/healthz", good(headers={"content-type": "application/json", "x-powered-by": "php"})),
    "no request id": ("GET", "/healthz", good(headers={"content-type": "application/json", "x-request-id": ""})),
    "a header's form": ("GET", "/healthz", good(headers={"content-type": "application/json", "x-process-time": "1s"})),
    "a body of 304": ("GET", "/tasks/1", {"status": 304, "headers": {"etag": '"1"'}, "body": b"{}"}),
    "a method": ("POST", "/healthz", good()),
    "a method's refusal": ("POST", "/healthz", good(status=405, headers={"allow": "GET"})),
    "a path": ("GET", "/nope", good()),
    "a plain 404": ("GET", "/nope", good(status=404)),
    "a time": ("GET", "/tasks/1/history", good(body=b'{"history":[{"at":"now"}],"next":null}')),
    "a code": (
        "GET",
        "/healthz",
        {
            "status": 400,
            "headers": {"content-type": "application/problem+json"},
            "body": b'{"type":"","title":"","status":400,"detail":"","code":"bad_cursor","request_id":"","error":""}',
        },
    ),
}


@pytest.mark.parametrize("name", UNDOCUMENTED)
def test_undocumented_answers_are_found(name: str) -> None:
    """The check that every other test relies on fails for each type of wrong response."""
    method, path, facts = UNDOCUMENTED[name]
    headers = {**STAMPS, **facts["headers"]}
    headers = {key: value for key, value in headers.items() if value}
    response = httpx2.Response(facts["status"], headers=headers, content=facts["body"])
    response.request = httpx2.Request(method, f"http://localhost{path}")

    with pytest.raises(NotDocumented):
        Documented(orjson.loads(openapi())).check(response, whole=True)


async def test_what_generators_make_of_it(client: Client) -> None:
    """Operations on many entities have plural names, an id has the same limit everywhere, and `atomic` is optional."""
    document = (await client.get("/openapi.json")).json()
    names = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert {"listTasks", "bulkTasks", "listProducts", "bulkProducts", "listWebhooks", "getTask"} <= names
    bulk = document["components"]["schemas"]["TaskBulk"]
    kinds = bulk["properties"]["operations"]["items"]["oneOf"]
    assert ["Create", "Update", "Delete", "Restore"] == [each["title"] for each in kinds]
    in_path = document["paths"]["/tasks/{id}"]["get"]["parameters"][0]["schema"]
    assert {MAX_ID} == {in_path["maximum"], *(each["properties"]["id"]["maximum"] for each in kinds[1:])}
    assert "default" not in bulk["properties"]["atomic"]


async def test_the_socket_is_described(client: Client) -> None:
    """The document has the handshake of the WebSocket, its parameters, and its messages."""
    document = await got(client, "/openapi.json")
    operation = document["paths"]["/ws"]["get"]
    assert ["after", "types"] == [each["name"] for each in operation["parameters"]]
    described = operation["responses"]["101"]
    assert "4410" in described["description"]
    *_, ready = described["content"]["application/json"]["schema"]["anyOf"]
    assert {"$ref": "#/components/schemas/Ready"} == ready
    assert "ready" == document["components"]["schemas"]["Ready"]["properties"]["type"]["const"]
