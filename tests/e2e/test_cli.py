"""The command line."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from entrypoints.cli import SECTIONS, backroom
from tests.e2e.service import command, environment


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run backroom to its end."""
    return subprocess.run(
        command(*arguments),
        env=environment(**settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"port": "http"}, "BACKROOM_PORT must be a whole number from 0 to 65535, not 'http'"),
        ({"demo": "maybe"}, "BACKROOM_DEMO must be one of 1 true yes on 0 false no off, not 'maybe'"),
        ({"store": "mysql://x"}, "BACKROOM_STORE must be memory://, sqlite:///PATH or postgresql://"),
        ({"changes_kept": "30"}, "BACKROOM_CHANGES_KEPT must be a duration such as 500ms, 90s, 15m, 24h or 30d"),
        ({"host": "0.0.0.0"}, "make the first key with: backroom keys create NAME --scope admin"),
        ({"host": "0.0.0.0", "store": "memory://"}, "listening on 0.0.0.0 without a key needs --open"),
        ({"store": "memory://", "workers": "2"}, "memory:// cannot be shared"),
    ],
)
def test_bad_setting(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    """A bad setting is one clear line and exit code 2."""
    ended = run(tmp_path, "serve", **settings)
    assert 2 == ended.returncode
    assert said in ended.stderr
    assert 1 == len(ended.stderr.splitlines())


def test_every_bad_setting_at_once(tmp_path: Path) -> None:
    """One error names two bad settings, a flag by the name of the flag."""
    ended = run(tmp_path, "serve", "--port", "x", max_body="y")
    assert 2 == ended.returncode
    assert "--port must" in ended.stderr
    assert "BACKROOM_MAX_BODY must" in ended.stderr


def test_unknown_setting_is_told(tmp_path: Path) -> None:
    """A variable that looks like a setting but is none is told, and does not stop the service."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run(tmp_path, "serve", port=str(taken.getsockname()[1]), stroe="memory://")
    assert "BACKROOM_STROE is not a setting" in ended.stderr


def test_port_in_use(tmp_path: Path) -> None:
    """A port that is taken is one clear line and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run(tmp_path, "serve", port=str(taken.getsockname()[1]))
    assert 1 == ended.returncode
    assert "cannot listen on" in ended.stderr
    assert 1 == len(ended.stderr.splitlines())


def test_store_that_cannot_be_opened(tmp_path: Path) -> None:
    """A store that is no database is a clear line without a traceback, and an exit code that is not 0."""
    (tmp_path / "x.db").write_text("this is no database, but it is long enough to look like one " * 20)
    ended = run(tmp_path, "serve", store="sqlite:///x.db", port="0")
    assert 0 != ended.returncode
    assert "Traceback" not in ended.stderr
    assert "x.db" in ended.stderr


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("postgresql+asyncpg://u:hush@h/d", "BACKROOM_STORE must be memory://, sqlite:///PATH or postgresql://"),
        (
            "postgresql://u:hush#x@127.0.0.1/d",
            "postgresql://127.0.0.1/d: the URL has a # in it: in a user or",
        ),
        ("postgresql://127.0.0.1:1/d?pool_size=hush", "127.0.0.1:1/d: the option pool_size of the URL must be a whole"),
        ("postgresql://u:hush@127.0.0.1:1/d", "postgresql://127.0.0.1:1/d: PostgreSQL cannot be reached ("),
        ("sqlite:///.", " is a folder: name a file in it, such as sqlite:////"),
    ],
)
def test_store_that_cannot_be_reached(tmp_path: Path, store: str, said: str) -> None:
    """The error has its reason, and no secret of the URL."""
    ended = run(tmp_path, "serve", store=store, port="0")
    assert 0 != ended.returncode
    assert said in ended.stderr
    assert "hush" not in ended.stderr


def test_openapi(tmp_path: Path) -> None:
    """`backroom openapi` prints the document."""
    assert "3.1.0" == json.loads(run(tmp_path, "openapi").stdout)["openapi"]


def test_no_command(tmp_path: Path) -> None:
    """Without a command, help is shown and the exit code is 2."""
    ended = run(tmp_path)
    assert (2, True) == (ended.returncode, "serve" in ended.stdout)


def commands(
    group: click.Group = backroom, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        yield (*path, name), command


EXAMPLES = {" ".join(path): re.findall(r"(?m)^ +(\S*backroom .*)$", command.help or "") for path, command in commands()}


# A service would not end by itself: it is asked to once it serves, and its exit code is that of the function.
SERVED = """
served() {
  backroom serve "$@" 2>said &
  until grep "listening on" said; do kill -0 $!; sleep 0.05; done
  kill $!
  wait $!
}
"""


@pytest.mark.parametrize(("name", "examples"), EXAMPLES.items(), ids=EXAMPLES)
def test_examples_run(tmp_path: Path, name: str, examples: list[str]) -> None:
    """The help of each command has an example, and a shell runs it without a complaint."""
    assert 1 == len(examples)
    assert f"backroom {name.split(maxsplit=1)[0]}" in examples[0]
    before = "backroom keys create first --scope admin 2>/dev/null; "  # so that there is a store with something in it
    script = f"set -e; {SERVED}{before}{examples[0].replace('backroom serve', 'served')}; echo; echo done"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env={**environment(), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, True) == (ended.returncode, ended.stdout.endswith("done\n")), ended.stderr


def test_help_shows_commands_in_sections(tmp_path: Path) -> None:
    """Every command is in the group of its purpose."""
    shown = run(tmp_path, "--help").stdout
    for section, names in SECTIONS.items():
        assert re.search(rf"{section}:\n(  .*\n)*?  {names[0]} ", shown)


@pytest.mark.parametrize("name", [*SECTIONS["Data"], "keys create"])
def test_help_shows_examples_as_lines(tmp_path: Path, name: str) -> None:
    """The example of a command stands on a line of its own."""
    shown = run(tmp_path, *name.split(), "--help").stdout
    assert re.search(r"\n  Example:\n    backroom ", shown), shown


def test_completion(tmp_path: Path) -> None:
    """A shell is told which commands there are."""
    shown = subprocess.run(
        [str(Path(sys.executable).with_name("backroom"))],
        env={**environment(), "_BACKROOM_COMPLETE": "bash_complete", "COMP_WORDS": "backroom ke", "COMP_CWORD": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert ["plain,keys"] == shown.split()
