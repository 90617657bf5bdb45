"""The metrics of a real service with several workers: all in one answer, and no count ever falls."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from tests.e2e.receiver import receiving
from tests.e2e.service import Service, command, environment, running

ALERTS = Path(__file__).parents[2] / "docs" / "alerts.yml"
WORKERS = 4
REQUESTS = "http_server_request_duration_seconds"

Sample = tuple[str, frozenset[tuple[str, str]]]
"""The name of a sample, and its labels."""

CONTRACT = {
    *(f"{REQUESTS}_{suffix}" for suffix in ("bucket", "count", "sum")),
    "http_server_active_requests",
    "backroom_followers",
    "backroom_changes_total",
    "backroom_oldest_change_age_seconds",
    *(f"backroom_commit_{each}_bucket" for each in ("batches", "duration_seconds")),
    "backroom_webhook_deliveries_total",
    *(f"backroom_webhook_{each}" for each in ("lag_changes", "lag_seconds", "enabled")),
    *(f"backroom_store_{each}" for each in ("up", "size_bytes", "wal_bytes", "free_bytes")),
    "backroom_pool_connections",
    "backroom_pool_connections_limit",
    "backroom_build_info",
    "backroom_worker_starts_total",
    "process_start_time_seconds",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
}


def address_of(service: Service) -> str:
    """Return where the metrics alone are."""
    while not (found := re.search(r"metrics are at (http://\S+?)/metrics", "".join(service.said))):
        assert service.process.poll() is None
    return found[1]


@contextmanager
def measured(folder: Path, **settings: str) -> Iterator[tuple[Service, str]]:
    """Run a service, and say where its metrics are."""
    with running(folder, metrics="127.0.0.1:0", **settings) as service:
        yield service, address_of(service)


def scraped(address: str) -> dict[Sample, float]:
    """Return the value of each sample of an answer."""
    text = httpx2.get(f"{address}/metrics", timeout=30).text
    families = text_string_to_metric_families(text)
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def total(found: dict[Sample, float], name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have these labels."""
    return sum(value for (of, has), value in found.items() if of == name and labels.items() <= dict(has).items())


def counts(found: dict[Sample, float]) -> dict[Sample, float]:
    """Return the samples that may only rise."""
    return {each: value for each, value in found.items() if each[0].endswith(("_total", "_bucket", "_count", "_sum"))}


def until(address: str, expected: float, name: str, **labels: str) -> dict[Sample, float]:
    """Scrape until a sum is what it should be; each worker writes down what it counts within a second."""
    while total(found := scraped(address), name, **labels) != expected:
        assert total(found, name, **labels) < expected
    return found


def test_a_killed_worker_keeps_its_counts(tmp_path: Path) -> None:
    """Each worker is killed in turn: whichever answers then, no count has fallen, and none is lost."""
    with measured(tmp_path, workers=str(WORKERS)) as (service, address):
        children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
        before: dict[Sample, float] = {}
        for life in range(1, WORKERS + 1):
            for number in range(40):  # each on its own connection, so that every worker gets some
                with service.client() as client:
                    assert 201 == client.post("/tasks", json={"title": f"{life}-{number}"}).status_code
            found = until(address, 40.0 * life, f"{REQUESTS}_count", http_route="/tasks")
            assert 40.0 * life == total(found, "backroom_changes_total")
            os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
            found = until(address, WORKERS + life, "backroom_worker_starts_total")
            assert 40.0 * life == total(found, f"{REQUESTS}_count", http_route="/tasks")
            fallen = [each for each, value in counts(before).items() if found[each] < value]
            assert [] == fallen
            before = found
        starts = [total(before, "backroom_worker_starts_total", worker=str(slot)) for slot in range(WORKERS)]
        assert [2.0] * WORKERS == starts  # each was replaced in its own place
        assert 0 == service.stop()


def test_everything_that_was_promised(tmp_path: Path) -> None:
    """Each metric of the contract is there, with followers of each kind and webhooks with their attempts."""
    with receiving() as receiver, measured(tmp_path, webhooks_allow_private="1") as (service, address):
        with service.client() as client:
            client.post("/webhooks", json={"url": receiver.url})
            client.post("/tasks", json={"title": "x"})
            with client.stream("GET", "/changes/stream"), connect(f"{service.url}/ws".replace("http", "ws")):
                found = until(address, 1, "backroom_webhook_deliveries_total", outcome="retry")
                assert (1, 1) == tuple(total(found, "backroom_followers", kind=each) for each in ("stream", "socket"))
        assert CONTRACT <= {name for name, _ in found}
        # Its own creation is a change too. The dispatcher may have passed over that before the task was made, or not.
        assert total(found, "backroom_webhook_lag_changes", webhook="1") in (1, 2)
        assert total(found, "backroom_webhook_lag_seconds", webhook="1") > 0
        assert total(found, "backroom_store_size_bytes") > 0 < total(found, "backroom_store_free_bytes")
        assert 1 == total(found, "backroom_build_info", store="sqlite", version="0.1.0")


def test_alerts_are_about_metrics_that_exist(tmp_path: Path) -> None:
    """Each rule has an expression, a summary and a severity, and each name in it is in the answer, with its labels."""
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    with measured(tmp_path, webhooks_allow_private="1") as (service, address):
        with service.client() as client:
            client.get("/readyz")
            assert 201 == client.post("/webhooks", json={"url": "http://127.0.0.1:9/"}).status_code
        found = until(address, 1, f"{REQUESTS}_count", http_route="/readyz")
    known: dict[str, set[str]] = {"up": {"job"}}  # Prometheus adds that, and the instance
    for name, labels in found:
        known.setdefault(name, {"instance"}).update(dict(labels))
    assert len(rules) > 10
    for rule in rules:
        assert {"alert", "expr", "labels", "annotations"} <= set(rule)
        assert ("severity", "summary") == (*rule["labels"], *rule["annotations"])
        named = re.findall(r"\b(up|(?:backroom|http_server|process)_[a-z_]+)(?:\{([^}]*)\})?", rule["expr"])
        assert named
        for name, selected in named:
            assert set(re.findall(r"(\w+)[=!]", selected)) <= known[name], rule["alert"]
        used = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule))) | set(re.findall(r"by \(([^)]*)\)", rule["expr"]))
        there = set().union(*(known[name] for name, _ in named)) | {"instance"}
        assert {each.strip() for text in used for each in text.split(",")} <= there, rule["alert"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_busy_address(tmp_path: Path, workers: str) -> None:
    """The service says that it cannot listen there, and does not start."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = subprocess.run(
            command("serve", "--port", "0", "--workers", workers, "--metrics", address),
            env=environment(),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    expected = f"backroom: cannot listen on http://{address}: Address already in use\n"
    assert (1, expected) == (ended.returncode, ended.stderr)


def test_nothing_else_is_at_that_address(tmp_path: Path) -> None:
    """No path, method, upgrade or broken request leads from there into the service, which keeps its keys."""
    with measured(tmp_path) as (service, address):
        with service.client() as client:
            assert 201 == client.post("/keys", json={"name": "k", "scope": "admin"}).status_code
            assert 401 == client.get("/metrics").status_code
        host, port = address.removeprefix("http://").split(":")
        for request, status in REQUESTS_FROM_OUTSIDE.items():
            with socket.create_connection((host, int(port)), timeout=30) as connection:
                connection.sendall(request)
                with connection.makefile("rb") as answer:
                    assert f"HTTP/1.1 {status} ".encode() in answer.readline(), request
        assert 0 == service.stop()


UPGRADE = (
    b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
)
REQUESTS_FROM_OUTSIDE: dict[bytes, int] = {
    b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n": 200,
    b"GET http://x/metrics HTTP/1.1\r\nHost: x\r\n\r\n": 200,
    b"GET http://x/tasks HTTP/1.1\r\nHost: x\r\n\r\n": 404,
    b"GET /tasks HTTP/1.1\r\nHost: x\r\n\r\n": 404,
    b"GET /metrics/../tasks HTTP/1.1\r\nHost: x\r\n\r\n": 404,
    b"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n": 405,
    b"GET /ws HTTP/1.1\r\n" + UPGRADE + b"\r\n": 404,
    b"GET /metrics HTTP/1.1\r\n" + UPGRADE + b"\r\n": 200,
    b"nonsense\r\n\r\n": 400,
}


def test_the_service_of_another_server(tmp_path: Path) -> None:
    """Another server has no address for the metrics, and a warning says so."""
    program = "import asyncio; from entrypoints.asgi import app; a = app()\n" + LIFESPAN
    made = environment(store="memory://", metrics="127.0.0.1:9100")
    ended: Any = subprocess.run(
        [sys.executable, "-c", program],
        env=made,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "BACKROOM_METRICS needs `backroom serve`" in ended.stderr


LIFESPAN = """
async def main():
    events = iter(["lifespan.startup", "lifespan.shutdown"])
    async def receive(): return {"type": next(events)}
    async def send(message): assert message["type"].endswith("complete"), message
    await a({"type": "lifespan", "state": {}}, receive, send)
asyncio.run(main())
"""
