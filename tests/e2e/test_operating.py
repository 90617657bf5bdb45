"""What docs/operating.md gives to operators: units, a Containerfile, a Caddyfile and commands, carried out here."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from websockets.sync.client import unix_connect

from tests.e2e.proxy import AS_TOLD, in_front_of, needed
from tests.e2e.service import environment, running
from tests.e2e.test_cli import run

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROGRAMS = Path(sys.executable).parent
UNITS = ("backroom.service", "backroom-backup.service", "backroom-backup.timer")
PROXIED = {"trusted_proxies": "127.0.0.1", "allowed_hosts": "shop.example,127.0.0.1"}
HARDENED = {
    "User": "backroom",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "UMask": "0077",
}


def unit(name: str) -> dict[str, list[str]]:
    """Return the values of each directive of a unit, in order."""
    found: dict[str, list[str]] = {}
    for line in (DOCS / name).read_text().splitlines():
        if line and line[0] not in "#[":
            key, separator, value = line.partition("=")
            assert separator, line
            found.setdefault(key, []).append(value)
    return found


def here(text: str, folder: Path) -> str:
    """Return a text with the paths of an installation replaced by those of this test."""
    for path, instead in (
        ("/opt/backroom/backup.sh", DOCS / "backup.sh"),
        ("/opt/backroom/bin", PROGRAMS),
        ("/var/lib/backroom-backups", folder / "backups"),
        ("/var/lib/backroom", folder),
    ):
        text = text.replace(path, str(instead))
    return text


def environment_of(name: str, folder: Path) -> dict[str, str]:
    """Return the environment that a unit gives to its command, and nothing else."""
    words = [word for line in unit(name).get("Environment", []) for word in line.split()]
    return dict(here(word, folder).split("=", 1) for word in words)


def program(name: str, package: str) -> str:
    """Return a program. Skips the test where there is none, but under CI, where it fails."""
    if found := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return found
    message = f"there is no {name}, so nothing is checked by it: apt-get install {package}"
    assert os.environ.get("CI") != "true", message
    pytest.skip(message)


@contextmanager
def started(command: list[str], settings: dict[str, str], folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a service as a unit or an image would; yield it with the line that says where it listens."""
    process = subprocess.Popen(command, env=settings, cwd=folder, text=True, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        yield process, next(line for line in process.stderr if "listening on" in line)
    finally:
        process.kill()
        process.communicate()


def test_the_unit_starts_a_service(tmp_path: Path) -> None:
    """Its command serves with its environment alone, keeps its file in its folder, logs JSON, and ends on SIGTERM."""
    directives = unit("backroom.service")
    (command,) = directives["ExecStart"]
    settings = {**environment_of("backroom.service", tmp_path), "BACKROOM_PORT": "0", "BACKROOM_METRICS": "127.0.0.1:0"}
    with started(here(command, tmp_path).split(), settings, tmp_path) as (process, line):
        assert "listening on http://127.0.0.1:" in json.loads(line)["message"]
        process.terminate()
        assert 0 == process.wait(timeout=int(directives["TimeoutStopSec"][0]))
    assert (tmp_path / "backroom.db").exists()


@pytest.mark.parametrize("name", ["backroom.service", "backroom-backup.service"])
def test_units_are_hardened(name: str) -> None:
    """Each service runs as its own user, without privileges, and can write to its own folders alone."""
    directives = unit(name)
    assert {key: [value] for key, value in HARDENED.items()} == {key: directives[key] for key in HARDENED}
    assert "backroom" in directives["StateDirectory"][0].split()


def test_the_installation() -> None:
    """What the page installs by hand is what the Containerfile installs, and each file that it copies is there."""
    (lines,) = re.findall(r"```\n(useradd .*?)```", (DOCS / "operating.md").read_text(), re.DOTALL)
    by_hand = [line.split()[1:] for line in lines.splitlines() if "/pip install" in line]
    in_image = [json.loads(rest) for step, rest in steps_of_image() if step == "RUN"]
    installed = [[word for word in step if word != "--no-cache-dir"] for step in in_image]
    assert by_hand == [step[3:] for step in installed if step[1:3] == ["-m", "pip"]]
    copied = [word for line in lines.splitlines() if line.startswith("cp ") for word in line.split()[1:-1]]
    assert {*UNITS, "backup.sh"} == {Path(word).name for word in copied if (ROOT / word).exists()}


def test_no_restart_mends_a_bad_file(tmp_path: Path) -> None:
    """The unit is started again after a crash, but not after the exit codes that a bad setting and a bad file give."""
    directives = unit("backroom.service")
    assert (["on-failure"], ["2 74"]) == (directives["Restart"], directives["RestartPreventExitStatus"])
    assert 2 == run(tmp_path, "serve", port="http").returncode


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """Systemd finds no fault with the units, and calls the service well confined."""
    analyze = program("systemd-analyze", "systemd")
    for name in UNITS:
        (tmp_path / name).write_text(here((DOCS / name).read_text(), tmp_path))
    files = [str(tmp_path / name) for name in UNITS]
    checked = subprocess.run([analyze, "verify", *files], capture_output=True, text=True, timeout=60, check=False)
    assert (0, "") == (checked.returncode, checked.stderr)
    command = [analyze, "security", "--offline=true", "--threshold=20", files[0]]
    rated = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == rated.returncode, rated.stdout


def test_prometheus_accepts_the_alerts() -> None:
    """Prometheus's own tool finds no fault with the rules, their expressions and their templates."""
    promtool = program("promtool", "prometheus")
    command = [promtool, "check", "rules", str(DOCS / "alerts.yml")]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (0, True) == (checked.returncode, "SUCCESS" in checked.stdout), checked.stderr + checked.stdout


def test_backups_by_the_timer(tmp_path: Path) -> None:
    """The command of the backup's unit makes a sound file of today beside a running service, and keeps so many."""
    (command,) = unit("backroom-backup.service")["ExecStart"]
    keep = int(command.split()[-1])
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, keep + 3):
        (folder / f"backroom-2020-01-{day:02}.db").touch()
    (folder / "notes.txt").touch()
    settings = environment_of("backroom-backup.service", tmp_path)
    with running(tmp_path, demo="1"):
        for _ in range(2):  # the second takes the place of the first
            arguments = here(command, tmp_path).split()
            ended = subprocess.run(arguments, env=settings, capture_output=True, text=True, timeout=60, check=False)
            assert 0 == ended.returncode, ended.stderr
    assert "nothing is wrong" in ended.stdout
    kept = sorted(each.name for each in folder.iterdir())
    assert (keep + 1, "notes.txt") == (len(kept), kept[-1])
    assert f"backroom-2020-01-{keep + 2:02}.db" == kept[-3]
    (lines,) = re.findall(r"```\n(backroom verify .*?)```", (DOCS / "operating.md").read_text(), re.DOTALL)
    script = f"set -e\n{lines.replace('backroom-2026-01-31.db', kept[-2])}"
    restored = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=settings, capture_output=True, timeout=60, check=False
    )
    assert (0, True) == (restored.returncode, (folder / "again.db").exists()), restored.stderr


def test_a_failed_backup_removes_nothing(tmp_path: Path) -> None:
    """Where the backup fails, the script does too, and the old backups stay."""
    for day in range(1, 4):
        (tmp_path / f"backroom-2020-01-{day:02}.db").touch()
    settings = {"PATH": f"{PROGRAMS}:/usr/bin:/bin", "BACKROOM_STORE": f"sqlite:///{tmp_path}/none.db"}
    command = ["sh", str(DOCS / "backup.sh"), str(tmp_path), "1"]
    ended = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)
    assert (1, 3) == (ended.returncode, len(list(tmp_path.iterdir())))


def steps_of_image() -> list[tuple[str, str]]:
    """Return the steps of the Containerfile, in order."""
    lines = (DOCS / "Containerfile").read_text().splitlines()
    return [(step, rest) for step, _, rest in (line.partition(" ") for line in lines if not line.startswith("#"))]


def made(folder: Path) -> dict[str, str]:
    """Carry out the steps of the Containerfile in a folder; return the last of each kind, with the paths there."""
    source, last = folder / "src", dict[str, str]()
    source.mkdir()
    for step, rest in steps_of_image():
        text = rest.replace("/opt/backroom", str(folder / "installed")).replace("/data", str(folder / "data"))
        last[step] = text
        if step == "COPY":
            *names, target = rest.split()
            for name in names:
                _copy(ROOT / name, source / (name if target == "./" else target))
        elif step == "RUN":
            words = [sys.executable if word == "python" else word for word in json.loads(text)]
            words = [word for word in words if not word.startswith(("--owner=", "--group="))]  # they take root
            subprocess.run(words, cwd=source, check=True, capture_output=True, timeout=250)
    shutil.rmtree(source)  # the image needs nothing of it
    return last


def test_the_containerfile(tmp_path: Path) -> None:
    """Its steps make an environment in which its command serves once there is a key, and its health check works."""
    steps = made(tmp_path)
    data, installed = tmp_path / "data", tmp_path / "installed" / "bin"
    assert ("10001:10001", [str(data)]) == (steps["USER"], json.loads(steps["VOLUME"]))
    settings = {**dict(word.split("=", 1) for word in steps["ENV"].split()), "BACKROOM_PORT": "0"}
    command, check = json.loads(steps["CMD"]), json.loads(steps["HEALTHCHECK"].partition("CMD ")[2])
    early = subprocess.run(command, env=settings, cwd=data, capture_output=True, timeout=60, check=False)
    assert (2, True) == (early.returncode, b"make the first key" in early.stderr)
    keys = [str(installed / "backroom"), "keys", "create", "the office", "--scope", "admin"]
    subprocess.run(keys, env=settings, cwd=data, check=True, capture_output=True, timeout=60)
    with started(command, settings, data) as (process, line):
        (port,) = re.findall(r"http://0\.0\.0\.0:(\d+)", line)
        for asked, code in ((port, 0), ("1", 1)):
            health = subprocess.run(check, env={"BACKROOM_PORT": asked}, capture_output=True, timeout=60, check=False)
            assert code == health.returncode, health.stderr
        process.terminate()
        assert 0 == process.wait(timeout=30)


def test_an_image(tmp_path: Path) -> None:
    """Where there is a builder, the image is built, and its program runs on a read-only root without being root."""
    for builder in filter(None, map(shutil.which, ("podman", "docker"))):
        if 0 == subprocess.run([builder, "info"], capture_output=True, timeout=60, check=False).returncode:
            break
    else:
        pytest.skip(
            "no podman and no docker works here: NOT checked are the base image, its user and the read-only root"
        )
    (base,) = (rest for step, rest in steps_of_image() if step == "FROM")
    if 0 != subprocess.run([builder, "pull", base], capture_output=True, timeout=250, check=False).returncode:
        pytest.skip(f"{base} cannot be fetched: NOT checked are the base image, its user and the read-only root")
    build = [builder, "build", "--file", str(DOCS / "Containerfile"), "--iidfile", str(tmp_path / "id"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=280)
    inside = [builder, "run", "--rm", "--read-only", (tmp_path / "id").read_text(), "id", "-u"]
    assert b"10001" == subprocess.run(inside, check=True, capture_output=True, timeout=60).stdout.strip()


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def test_behind_caddy(tmp_path: Path) -> None:
    """Behind Caddy a page can write, events come at once, and a client cannot claim another host or path."""
    caddy = program("caddy", "caddy")
    with running(tmp_path, **PROXIED) as service:
        text = (DOCS / "Caddyfile").read_text().replace("127.0.0.1:8000", service.url.removeprefix("http://"))
        socket = tmp_path / "caddy.sock"
        text = "{\n\tadmin off\n\tauto_https off\n}\n" + text.replace(
            "shop.example {", f"http://shop.example {{\n\tbind unix/{socket}"
        )
        (tmp_path / "Caddyfile").write_text(text)
        settings = {**environment(), "HOME": str(tmp_path)}
        command = [caddy, "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
        process = subprocess.Popen(command, cwd=tmp_path, env=settings, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        try:
            assert any("serving initial configuration" in line for line in process.stderr)
            transport = httpx2.HTTPTransport(uds=str(socket))
            with httpx2.Client(transport=transport, base_url="http://shop.example", timeout=30) as client:
                false = {"X-Forwarded-Prefix": "/evil", "Forwarded": "host=evil.example"}
                page = client.get("/tasks", headers=false).json()
                assert "evil" not in json.dumps(page)
                with client.stream("GET", "/changes/stream?after=now") as events:
                    lines = events.iter_lines()
                    assert ": still here" == next(lines)
                    with service.client() as direct:
                        direct.post("/tasks", json={"title": "a"})
                    assert '"id":1,' in next(line for line in lines if line.startswith("data: "))
                written = client.post("/tasks", json={"title": "b"}, headers={"Origin": "http://shop.example"})
                assert 201 == written.status_code
            with unix_connect(str(socket), uri="ws://shop.example/ws") as follower:
                assert '"type":"ready"' in str(follower.recv(timeout=30))
        finally:
            process.kill()
            process.communicate()


def test_websockets_behind_nginx(tmp_path: Path) -> None:
    """With the page's lines beside the README's, nginx lets WebSockets through, and drops a claimed prefix."""
    needed()
    (lines,) = re.findall(r"```nginx\n(.*?)```", (DOCS / "operating.md").read_text(), re.DOTALL)
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with running(tmp_path, **PROXIED) as service, in_front_of(service.url, AS_TOLD, lines) as client:
        assert "evil" not in client.get("/tasks", headers={"X-Forwarded-Prefix": "/evil"}).text
        with client.stream("GET", "/ws", headers=upgrade) as accepted:
            assert 101 == accepted.status_code
