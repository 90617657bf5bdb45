"""The examples in the OpenAPI document fit their schemas, and are what the service answers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import orjson
import pytest
from attrs import frozen

from domain.ports import Store
from domain.registry import ENTITY_TYPES
from domain.task import TASK
from entrypoints.documentation import openapi
from tests.builders import Clock
from tests.contract.stores import STORES
from tests.http.access import bearer, new_key
from tests.http.documented import Documented
from tests.http.service import Client, serving

pytestmark = pytest.mark.anyio

DOCUMENT: dict[str, Any] = orjson.loads(openapi())
OF_THE_STORE = re.compile(r"(?<=task-1\.)[0-9a-f]{16}(?=@)|brc_[0-9A-Za-z]{36}")
HIDDEN = ("cursor", "changes", "request_id", "secret", "key", "last_four", "message_id")
"""What differs from service to service."""
KEYS = ("keys", "session")
ONLY_THEIR_SHAPE = (*KEYS, "listWebhookDeliveries", "metrics")
"""What tells of the key that the test uses, of messages that it does not send, or of one metric in place of all."""
WITHOUT_EXAMPLES = ("openapi",)
UNENDING = ("streamChanges", "followChanges")
"""Tested where these are: in tests/feed, and by the page of the documentation."""


@frozen(kw_only=True)
class Described:
    """An operation of the document."""

    path: str
    method: str
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """Return its name."""
        return str(self.facts["operationId"])

    @property
    def replies(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the status, the media type and the content of each successful response with a body."""
        for status, reply in self.facts["responses"].items():
            for media_type, content in reply.get("content", {}).items():
                if status < "400" and media_type != "text/html":
                    yield status, media_type, content

    @property
    def request(self) -> tuple[str | None, Any]:
        """Return the media type and the example of the body."""
        content = self.facts.get("requestBody", {"content": {None: {}}})["content"]
        media_type = next(iter(content))
        return media_type, content[media_type].get("example")

    def url(self, **values: object) -> str:
        """Return the path with the values of its parameters, by default those of the examples."""
        examples = {each["name"]: each["example"] for each in self.facts.get("parameters", ()) if each["in"] == "path"}
        return self.path.format(**{name: quote(str(value)) for name, value in {**examples, **values}.items()})


OPERATIONS = [
    Described(path=path, method=method.upper(), facts=facts)
    for path, methods in DOCUMENT["paths"].items()
    for method, facts in methods.items()
]
CALENDAR = next(each for each in OPERATIONS if each.name == "createCalendar").request[1]
EXECUTED = [each for each in OPERATIONS if each.name not in UNENDING and "view" not in each.path]


def violations(content: dict[str, Any], pointer: str) -> list[str]:
    """Return how an example breaks its schema."""
    validator = Documented(DOCUMENT)._validator(f"{pointer}/schema")
    return [each.message for each in validator.iter_errors(content["example"])]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_they_are_there_and_fit(operation: Described) -> None:
    """Each body of a request, each body of a success, and each parameter of a path has an example, which fits."""
    if operation.name in WITHOUT_EXAMPLES:
        return
    place = f"/paths/{operation.path.replace('/', '~1')}/{operation.method.lower()}"
    for media_type, content in operation.facts.get("requestBody", {"content": {}})["content"].items():
        assert [] == violations(content, f"{place}/requestBody/content/{media_type.replace('/', '~1')}")
    for status, media_type, content in operation.replies:
        pointer = f"{place}/responses/{status}/content/{media_type.replace('/', '~1')}"
        assert [] == violations(content, pointer), status
    for number, parameter in enumerate(operation.facts.get("parameters", ())):
        if "example" in parameter:
            assert [] == violations(parameter, f"{place}/parameters/{number}")
        assert "example" in parameter or parameter["in"] != "path"


def test_every_type_has_one() -> None:
    """An entity type declares an example, and an edit that changes it."""
    for entity_type in ENTITY_TYPES:
        assert entity_type.example
        assert {**entity_type.example, **entity_type.example_edit} != entity_type.example


@pytest.mark.parametrize("operation", EXECUTED, ids=lambda each: each.name)
async def test_they_are_what_is_answered(tmp_path: Path, operation: Described) -> None:
    """The answer to each example of a request is the example of the answer, in each format."""
    for status, media_type, content in [*operation.replies] or [("", "*/*", {})]:
        if status == "207":
            continue  # the same with `atomic` set to false
        async with STORES["memory"](tmp_path, Clock()) as (store, *_), serving(store) as client:
            values, headers = await prepared(operation, store, client)
            body_type, body = operation.request
            if operation.name == "openSession":
                body = {"key": await new_key(store)}
            if body is not None:
                headers |= {"Content-Type": body_type or ""}
            response = await client.request(
                operation.method,
                operation.url(**values),
                headers={"Accept": media_type, **headers},
                content=None if body is None else orjson.dumps(body),
            )
        assert (status or str(response.status_code)) == str(response.status_code), response.text
        if "example" in content and not {operation.name, *operation.facts["tags"]} & {*ONLY_THEIR_SHAPE}:
            assert alike(content["example"]) == alike(read(response, media_type))


async def prepared(operation: Described, store: Store, client: Client) -> tuple[dict[str, object], dict[str, str]]:
    """Make what an operation works on. Return the parameters that it then needs, and the headers."""
    tag, name = operation.facts["tags"][0], operation.name
    if tag in KEYS:
        return {}, bearer(await new_key(store))
    entity_type = next((each for each in ENTITY_TYPES if each.collection == tag), ENTITY_TYPES[0])
    if tag == "service" or name.startswith("create"):
        return {}, {}
    if tag == "calendars":
        await client.post("/tasks", json=TASK.example)
        made = await client.post("/calendars", json=CALENDAR)
        return {"secret": made.json()["url"].removeprefix("/calendars/").removesuffix(".ics")}, {}
    url = f"/{entity_type.collection}"
    await client.post(url, json=entity_type.example)
    if name.startswith("restore"):
        await client.delete(f"{url}/1")
    if name.startswith("history"):
        await client.put(f"{url}/1", json=entity_type.example_edit)
    if name in ("retryWebhookDelivery", "listWebhookDeliveries"):
        return {"delivery_id": (await client.post(f"{url}/1/test")).json()["id"]}, {}
    return {}, {}


def read(response: httpx2.Response, media_type: str) -> Any:
    """Return the body in the form of the examples."""
    return response.json() if media_type == "application/json" else response.text


def alike(document: Any) -> Any:
    """Return a document without what differs from service to service, such as an id that is no number."""
    if isinstance(document, list):
        return [alike(each) for each in document]
    if isinstance(document, str):
        return OF_THE_STORE.sub("", document)
    if not isinstance(document, dict):
        return document
    hidden = {*HIDDEN, *(("id",) if isinstance(document.get("id"), str) else ())}
    return {name: name in hidden or alike(value) for name, value in document.items()}
