"""The tutorial's application works like a typical tutorial, so the comparison is fair."""

from starlette.testclient import TestClient

from tests.benchmarks import tutorial


def test_it_creates_reads_and_lists() -> None:
    """A posted entity is returned, read by its id and listed."""
    client = TestClient(tutorial.plain())
    for path, body in (("tasks", {"title": " Sweep "}), ("products", {"name": "Widget A", "price": 9.99})):
        created = client.post(f"/{path}", json=body)
        entity = created.json()

        assert 201 == created.status_code
        assert entity == client.get(f"/{path}/{entity['id']}").json()
        assert 1 == client.get(f"/{path}?limit=1").json()["count"]


def test_it_refuses_what_is_not_complete() -> None:
    """A task without a title and a product without a price get 422, and a missing entity gets 404."""
    client = TestClient(tutorial.plain())

    assert 422 == client.post("/tasks", json={"title": " "}).status_code
    assert 422 == client.post("/products", json={"name": "Widget"}).status_code
    assert 404 == client.get("/tasks/999999").status_code


def test_only_the_timed_form_tells_its_time() -> None:
    """The two forms differ only in their middleware."""
    assert "X-Process-Time" not in TestClient(tutorial.plain()).get("/").headers
    assert TestClient(tutorial.timed()).get("/").headers["X-Process-Time"].endswith("ms")
