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
from backroom_client.models import PollChangesTypesItem
from backroom_client.types import UNSET

TYPES = [each for each in PollChangesTypesItem if each.startswith("task.")]


def ask(operation, **arguments):
    """Return the answer, which may be that a cursor has expired. Wait while the service is away or busy."""
    while True:
        with suppress(httpx.TransportError):
            answer = operation.sync_detailed(**arguments)
            if answer.status_code in (200, 410):
                return answer
            if answer.status_code < 500 and answer.status_code != 429:
                sys.exit(answer.parsed.detail)
        time.sleep(1)


def listed(client):
    """Return all tasks, and the cursor to follow: the first page's, because others write while we read on."""
    tasks, first, cursor = {}, None, UNSET
    while cursor is not None:
        page = ask(list_tasks, client=client, limit=1000, cursor=cursor).parsed
        first = first or httpx.URL(page.changes).params["after"]
        tasks |= {str(task.id): task.to_dict() for task in page.tasks}
        cursor = page.next_ and httpx.URL(page.next_).params["cursor"]
    return tasks, first


def follow(client, tasks, cursor):
    """Yield the tasks with the cursor that belongs to them, again and again. At first both may be None."""
    while True:
        if cursor is None:
            tasks, cursor = listed(client)
        yield tasks, cursor
        answer = ask(poll_changes, client=client, after=cursor, types=TYPES, wait=30)
        for change in [] if answer.status_code == 410 else answer.parsed.changes:
            if change.version > tasks.get(str(change.id), {"version": 0})["version"]:  # the list may know it already
                tasks.pop(str(change.id), None)
                if change.type_ != "task.deleted":
                    tasks[str(change.id)] = change.data.to_dict()
        cursor = None if answer.status_code == 410 else answer.parsed.cursor  # where it has expired, list again


url, file, key = sys.argv[1], Path(sys.argv[2]), os.environ.get("BACKROOM_KEY")
client = AuthenticatedClient(url, key, timeout=60) if key else Client(url, timeout=60)
before = json.loads(file.read_text()) if file.exists() else {"tasks": None, "cursor": None}
for tasks, cursor in follow(client, **before):
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"tasks": tasks, "cursor": cursor}))
    new.replace(file)  # both together, or neither
    print(f"{len(tasks)} tasks", flush=True)
