"""Webhooks of a real service with a real receiver: nothing is lost, whoever fails, and anybody can verify it."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import AbstractContextManager, suppress
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.e2e.receiver import Message, Receiver, receiving
from tests.e2e.service import Service, running
from tests.e2e.test_readme import README
from tests.secrecy import MAY_HOLD

KILLS = 20
WRITES = 3
"""Writes in each life of the service."""

SOON = 60.0  # seconds, for what happens in a few, on a machine that has more to do


def subscribed(service: Service, url: str) -> str:
    """Make a webhook, and return its secret."""
    with service.client() as client:
        answer = client.post("/webhooks", json={"url": url})
        assert 201 == answer.status_code, answer.text
        secret: str = answer.json()["secret"]
        return secret


def write(service: Service, title: str) -> None:
    """Create a task."""
    with service.client() as client:
        assert 201 == client.post("/tasks", json={"title": title}).status_code


def short_timeouts(folder: Path) -> AbstractContextManager[Service]:
    """Run a service that may call this machine, and soon tries again what failed."""
    program = [sys.executable, str(Path(__file__).with_name("short_timeouts.py"))]
    return running(folder, program=program, webhooks_allow_private="1")


@pytest.fixture(scope="module")
def survived(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Receiver, list[Any]]:
    """Kill a service again and again while it delivers; return the secret, what arrived, and what the log tells."""
    folder, random = tmp_path_factory.mktemp("killed"), Random(20)
    with receiving() as receiver:
        with short_timeouts(folder) as service:
            secret = subscribed(service, receiver.url)
        for life in range(KILLS):
            with short_timeouts(folder) as service:
                for number in range(WRITES):
                    write(service, f"{life}-{number}")
                receiver.wait_for(len(receiver.taken()) + random.randrange(1, 3), within=random.random())
                service.kill()
        with short_timeouts(folder) as service:
            assert receiver.wait_for(KILLS * WRITES, within=SOON)
            with service.client() as client:
                changes = client.get("/changes?limit=1000").json()["changes"]
            assert 0 == service.stop()
    return secret, receiver, changes


def test_every_change_arrives(survived: tuple[str, Receiver, list[Any]]) -> None:
    """Every write arrives, each message under one id, and as the log has it."""
    _, receiver, changes = survived
    assert KILLS * WRITES == len(changes) == len(receiver.taken()) == len(receiver.seen)
    assert changes == [json.loads(body)["data"] for body in dict.fromkeys(each.body for each in receiver.messages)]


def test_changes_arrive_in_order(survived: tuple[str, Receiver, list[Any]]) -> None:
    """A repeated message comes before the next one: the order never goes back."""
    _, receiver, changes = survived
    expected = [(each["type"], each["id"], each["version"]) for each in changes]
    assert expected == [told for told, _ in groupby(each.told for each in receiver.messages)]


def test_python_verifies(survived: tuple[str, Receiver, list[Any]]) -> None:
    """The published library for Python verifies every attempt, and none that was tampered with."""
    secret, receiver, _ = survived
    for each in receiver.messages:
        Webhook(secret).verify(each.body, each.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(each.body.replace("task", "tusk"), each.headers)


def test_javascript_verifies(survived: tuple[str, Receiver, list[Any]], tmp_path: Path) -> None:
    """The published library for JavaScript verifies every attempt."""
    secret, receiver, _ = survived
    verified = in_javascript(tmp_path, secret, receiver.messages)
    assert (str(len(receiver.messages)), "") == (verified.stdout.strip(), verified.stderr)


def test_javascript_refuses(survived: tuple[str, Receiver, list[Any]], tmp_path: Path) -> None:
    """It would not verify just anything."""
    secret, receiver, _ = survived
    first = receiver.messages[0]
    refused = in_javascript(tmp_path, secret, [Message(first.headers, first.body.replace("task", "tusk"))])
    assert refused.returncode != 0
    assert "No matching signature" in refused.stderr


def in_javascript(folder: Path, secret: str, messages: list[Message]) -> subprocess.CompletedProcess[str]:
    """Verify messages with what npm installs into a folder."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        reason = f"{' and '.join(missing)} missing: nothing shows that JavaScript verifies what is sent"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    subprocess.run(
        ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "standardwebhooks@1.0.0"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    file = folder / "messages.json"
    MAY_HOLD.add(file)  # the receiver has its secret
    sent = [{"headers": each.headers, "body": each.body} for each in messages]
    file.write_text(json.dumps({"secret": secret, "messages": sent}))
    script = Path(__file__).with_name("verify.mjs")
    return subprocess.run(["node", script, folder, file], capture_output=True, text=True, timeout=60, check=False)


def test_another_process_takes_over(tmp_path: Path) -> None:
    """When the process that delivers is killed, the other one on the same file goes on."""
    with receiving() as receiver, short_timeouts(tmp_path) as one, short_timeouts(tmp_path) as other:
        subscribed(one, receiver.url)
        write(one, "a")
        assert receiver.wait_for(1, within=SOON)
        one.kill()
        write(other, "b")
        assert receiver.wait_for(2, within=SOON)
    assert [1, 2] == [id for id, _ in groupby(each.told[1] for each in receiver.messages)]


def listening(process: subprocess.Popen[str], port: int) -> None:
    """Return once a process listens."""
    while process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise AssertionError("it has ended")


def test_the_receiver_of_the_readme(tmp_path: Path) -> None:
    """The script in the README verifies what it is sent, and prints it."""
    section = README.read_text().partition("\n## Webhooks\n")[2].partition("\n## ")[0]
    (script,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert 10 >= len([line for line in script.splitlines() if line.strip()])
    with receiving() as receiver:  # lends a free port
        port = receiver.url.rsplit(":", 1)[1].strip("/")
    (tmp_path / "receiver.py").write_text(script.replace("9000", port))
    with short_timeouts(tmp_path) as service:
        secret = subscribed(service, f"http://127.0.0.1:{port}/")
        command = [sys.executable, "receiver.py", secret]
        with subprocess.Popen(command, cwd=tmp_path, text=True, stdout=subprocess.PIPE) as process:
            try:
                listening(process, int(port))  # in time for the attempts, which are over in a quarter of a second
                write(service, "Buy milk")
                assert process.stdout is not None
                line = process.stdout.readline()
            finally:
                process.terminate()
    assert "task.created" in line
    assert "Buy milk" in line
