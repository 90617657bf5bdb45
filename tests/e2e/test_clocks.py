"""A service that was started once with a clock that was far ahead."""

import sys
from pathlib import Path

from tests.e2e.service import running

AHEAD = (sys.executable, str(Path(__file__).with_name("ahead.py")))


def test_one_start_with_a_wrong_clock_purges_nothing(tmp_path: Path) -> None:
    """History, the log and its cursors are there afterwards; while it lasts, the service says what it believes."""
    with running(tmp_path) as service, service.client() as client:
        client.post("/tasks", json={"title": "Stay"})
        cursor = client.get("/changes").json()["cursor"]
        client.put("/tasks/1", json={"status": "done"})
        service.stop()
    with running(tmp_path, program=AHEAD) as service, service.client() as client:
        client.put("/tasks/1", json={"title": "Still there"})
        assert 3 == len(client.get("/tasks/1/history").json()["history"])
        service.stop()
    assert 1 == sum("by what was written lately it is" in line for line in service.said)
    with running(tmp_path) as service, service.client() as client:
        assert [1, 2, 3] == [each["version"] for each in client.get("/changes").json()["changes"]]
        assert [2, 3] == [each["version"] for each in client.get(f"/changes?after={cursor}").json()["changes"]]
        service.stop()
