"""Keep a mirror of all tasks in a file: list them, then follow the changes. Usage: python mirror.py URL FILE."""

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
from backroom_client.api.changes import poll_changes
from backroom_client.api.tasks import list_tasks
from backroom_client.client import AuthenticatedClient, Client
from backroom_client.models import ChangeType
from backroom_client.types import UNSET


def ask(operation, **arguments):
    """Return the answer, or None where the cursor has expired. Wait while the service is away or busy."""
    while True:
        with suppress(httpx.TransportError):
            answer = operation.sync_detailed(client=client, **arguments)
            if answer.status_code in (200, 410):
                return answer.parsed if answer.status_code == 200 else None
            if answer.status_code < 429:
                sys.exit(answer.parsed.detail)
        time.sleep(1)


def listed():
    """Return all tasks by id, and the cursor to follow: the first page's, because others write while we read on."""
    tasks, after, cursor = {}, None, UNSET
    while cursor is not None:
        page = ask(list_tasks, limit=1000, cursor=cursor)
        tasks |= {str(task.id): task.to_dict() for task in page.tasks}
        after = after or httpx.URL(page.changes).params["after"]
        cursor = page.next_ and httpx.URL(page.next_).params["cursor"]
    return tasks, after


def follow(tasks, after):
    """Yield the tasks with the cursor behind them, whenever they may have changed. Both may be None at first."""
    while True:
        batch = after and ask(poll_changes, after=after, types=TYPES, wait=30)
        tasks, after = (tasks, batch.cursor) if batch else listed()
        for change in batch.changes if batch else ():
            if change.version > tasks.get(str(change.id), {"version": 0})["version"]:  # the list may know it already
                tasks[str(change.id)] = change.data.to_dict()
                if change.type_ == "task.deleted":
                    del tasks[str(change.id)]
        yield tasks, after


TYPES = [each for each in ChangeType if each.startswith("task.")]
file, key = Path(sys.argv[2]), os.environ.get("BACKROOM_KEY")
client = AuthenticatedClient(sys.argv[1], key, timeout=60) if key else Client(sys.argv[1], timeout=60)
for state in follow(*json.loads(file.read_text() if file.exists() else "[null, null]")):
    (new := file.with_suffix(".new")).write_text(json.dumps(state))
    new.replace(file)  # both together, or neither
    print(f"{len(state[0])} tasks", flush=True)
