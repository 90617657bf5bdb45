"""A client of the tutorial's applications works here unchanged, with the tutorial's own products."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from domain.product import PRODUCT
from domain.queries import Query
from domain.use_cases.demonstrate import demonstrate
from entrypoints.asgi import app
from tests.builders import recorded
from tests.contract.stores import Stores


@pytest.fixture(params=["memory://", "sqlite:///"])
def client(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Return the tutorial's client on a new service with its demonstration data."""
    url = request.param if request.param == "memory://" else f"{request.param}{tmp_path / 'backroom.db'}"
    monkeypatch.setenv("BACKROOM_STORE", url)
    monkeypatch.setenv("BACKROOM_DEMO", "1")
    with TestClient(app(), base_url="http://127.0.0.1:8000") as client:
        yield client


def test_homepage(client: TestClient) -> None:
    """The root returns the tutorial's greeting."""
    response = client.get("/")

    assert 200 == response.status_code
    assert {"message": "Hello from Starlette!", "version": "1.0"} == response.json()


def test_products_list(client: TestClient) -> None:
    """The list has the three products by their ids as text, because JSON keys are text."""
    response = client.get("/products")

    assert 200 == response.status_code
    products = response.json()["products"]
    assert {"1", "2", "3"} == set(products)
    shown = [(each["name"], each["price"], each["category"]) for each in products.values()]
    assert [("Widget A", 9.99, "widgets"), ("Gadget B", 24.99, "gadgets"), ("Widget C", 14.99, "widgets")] == shown


def test_product_detail(client: TestClient) -> None:
    """A product can be read, and a missing one gets an error."""
    response = client.get("/products/1")
    missing = client.get("/products/999")

    assert 200 == response.status_code
    assert {"id": 1, "name": "Widget A", "price": 9.99}.items() <= response.json().items()
    assert 404 == missing.status_code
    assert "Product not found" == missing.json()["error"]


def test_create_product(client: TestClient) -> None:
    """A product can be created, and `error` names a missing field."""
    response = client.post("/products", json={"name": "Gizmo D", "price": 4.5, "category": "gizmos"})
    nothing = client.post("/products", json={})
    half = client.post("/products", json={"name": "Gizmo"})

    assert 201 == response.status_code
    assert {"id": 4, "name": "Gizmo D", "price": 4.5, "category": "gizmos"}.items() <= response.json().items()
    assert "Gizmo D" == client.get("/products").json()["products"]["4"]["name"]
    assert 422 == nothing.status_code
    assert "name and price are required" == nothing.json()["error"]
    assert "price is required" == half.json()["error"]


def test_task_manager(client: TestClient) -> None:
    """A task can be created, listed, read, edited and deleted."""
    created = client.post("/tasks", json={"title": "Learn Starlette"})
    assert 201 == created.status_code
    id = created.json()["id"]
    assert ("Learn Starlette", "pending") == (created.json()["title"], created.json()["status"])

    assert [id] == [each["id"] for each in client.get("/tasks").json()["tasks"]]
    assert "Learn Starlette" == client.get(f"/tasks/{id}").json()["title"]

    updated = client.put(f"/tasks/{id}", json={"status": "done"})
    assert 200 == updated.status_code
    assert ("Learn Starlette", "done") == (updated.json()["title"], updated.json()["status"])

    deleted = client.delete(f"/tasks/{id}")
    assert 200 == deleted.status_code
    assert "Learn Starlette" == deleted.json()["deleted"]["title"]
    assert 404 == client.get(f"/tasks/{id}").status_code
    assert {"tasks": [], "count": 0}.items() <= client.get("/tasks").json().items()


def test_task_manager_refusals(client: TestClient) -> None:
    """`error` tells what is missing or not found."""
    untitled = client.post("/tasks", json={"status": "done"})

    assert 422 == untitled.status_code
    assert "title is required" == untitled.json()["error"]
    for response in (
        client.get("/tasks/9"),
        client.put("/tasks/9", json={"status": "done"}),
        client.delete("/tasks/9"),
    ):
        assert 404 == response.status_code
        assert "Task not found" == response.json()["error"]


def test_timing(client: TestClient) -> None:
    """Every response has the header of the tutorial's middleware."""
    for path in ("/", "/products", "/nope"):
        assert client.get(path).headers["x-process-time"].endswith("ms")


def test_live(client: TestClient) -> None:
    """The WebSocket accepts, and sends changes."""
    with client.websocket_connect("ws://127.0.0.1:8000/ws") as socket:
        assert "ready" == socket.receive_json()["type"]
        client.post("/tasks", json={"title": "Learn Starlette"})
        assert "task.created" == socket.receive_json()["type"]


def test_demonstration_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store gets the demonstration data only once."""
    monkeypatch.setenv("BACKROOM_STORE", f"sqlite:///{tmp_path / 'backroom.db'}")
    monkeypatch.setenv("BACKROOM_DEMO", "1")
    for _ in range(2):
        with TestClient(app(), base_url="http://127.0.0.1:8000") as client:
            before = client.get("/products").json()["count"]
            for id in (1, 2, 3):
                client.delete(f"/products/{id}")

    assert 0 == before


def test_no_demonstration_among_other_things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an empty store gets the tutorial's products."""
    monkeypatch.setenv("BACKROOM_STORE", f"sqlite:///{tmp_path / 'backroom.db'}")
    with TestClient(app(), base_url="http://127.0.0.1:8000") as client:
        client.post("/tasks", json={"title": "Learn Starlette"})
    monkeypatch.setenv("BACKROOM_DEMO", "1")
    with TestClient(app(), base_url="http://127.0.0.1:8000") as client:
        assert 0 == client.get("/products").json()["count"]


@pytest.mark.anyio
async def test_demonstration_is_made_once_by_many(stores: Stores) -> None:
    """Processes that start at once on an empty store create the products once, together."""
    await asyncio.gather(*(demonstrate(store) for store in stores * 4))

    page = await stores[1].page(Query(entity_type=PRODUCT))
    assert ["Widget A", "Gadget B", "Widget C"] == [recorded(PRODUCT, each).name for each in page.records]
