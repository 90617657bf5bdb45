"""What the first request of its kind has to import or to make delays nobody else."""

import threading
from typing import Any

import pytest

from adapters.http import app
from adapters.http.handlers import calendars
from domain.ports import Store
from tests.http.service import serving

pytestmark = pytest.mark.anyio


async def test_others_go_on_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer of a calendar, whose library is slow to import, and the OpenAPI document are made in a thread."""
    loops, threads = threading.current_thread(), dict[str, threading.Thread]()

    def note(module: Any, name: str) -> None:
        work = getattr(module, name)

        def noted(*arguments: Any) -> Any:
            threads[name] = threading.current_thread()
            return work(*arguments)

        monkeypatch.setattr(module, name, noted)

    note(app, "document")
    note(calendars, "writer_of")
    async with serving(store) as client:
        url = (await client.post("/calendars", json={"name": "The shop"})).json()["url"]
        assert 200 == (await client.get(url)).status_code
    assert {"document", "writer_of"} == set(threads)
    assert loops not in threads.values()
