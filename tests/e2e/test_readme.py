"""The README's examples, executed as they stand."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.service import Service, environment, running

README = Path(__file__).parents[2] / "README.md"
HOST = "localhost:8000"


def examples() -> list[str]:
    """Return every curl command of the README that ends by itself, in order."""
    return re.findall(r"^curl (?!.*\$KEY).*$", README.read_text(), re.MULTILINE)


def carried_out(service: Service, example: str) -> subprocess.CompletedProcess[str]:
    """Run an example against a service elsewhere than where the README thinks it is."""
    assert HOST in example
    elsewhere = example.replace(HOST, service.url.removeprefix("http://"))
    return subprocess.run(shlex.split(elsewhere), capture_output=True, text=True, timeout=30, check=True)


def test_curl_is_here() -> None:
    """The machine has curl; without it, nothing below would prove anything."""
    assert shutil.which("curl") is not None


def test_examples(tmp_path: Path) -> None:
    """Each example does what the README says: 412, replay, bulk, import, table, changes, webhook, calendar."""
    with running(tmp_path, webhooks_allow_private="1") as service:
        outputs = [carried_out(service, example).stdout for example in examples()]
        with service.client() as client:
            shown = client.get(json.loads(outputs[-1])["url"]).text
    created, listed, done, product, stocked, refused, first, again, *rest = outputs
    many, imported, table, changes, webhook, calendar = rest
    assert '"title":"Buy milk"' in created
    assert '"count":1' in listed
    assert '"status":"done"' in done
    assert '"price":9.99' in product
    assert '"stock":3' in stocked
    assert '"code":"precondition_failed"' in refused
    assert '"changed":["status"]' in refused
    assert "201 Created" in first
    assert "idempotency-replayed: true" in again
    assert first.partition("\r\n\r\n")[2] == again.partition("\r\n\r\n")[2]
    assert '"status":201' in many
    assert '"stock":2' in many
    assert '"created":1' in imported
    assert table.startswith("id,version,created_at,updated_at,name,")
    assert '"task.updated"' in changes
    assert '"secret":"whsec_' in webhook
    assert '"url":"/calendars/brc_' in calendar
    assert "SUMMARY:More milk" in shown


def test_access(tmp_path: Path) -> None:
    """A key is made beside the running service, which needs it from then on; it makes, shows and revokes others."""
    lines = re.findall(r"^(?:KEY=.*|curl .*\$KEY.*)$", README.read_text(), re.MULTILINE)
    with running(tmp_path) as service:
        script = "; echo; ".join(lines).replace(HOST, service.url.removeprefix("http://"))
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = {**environment(store=f"sqlite:///{tmp_path / 'backroom.db'}"), "PATH": path}
        ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True, env=env)
        with service.client() as client:
            without = client.get("/tasks")
    _, listed, made, shown, revoked = ran.stdout.splitlines()
    assert '"tasks":[]' in listed
    assert '"key":"brm_' in made
    assert '"key":{"id":1,"name":"the office"},"scope":"admin"' in shown
    assert '"deleted":{"id":2,"name":"till 2"' in revoked
    assert 401 == without.status_code
