"""The commands that make, list, rotate and revoke keys."""

import re
from pathlib import Path

import pytest

from domain.access.key_text import is_key
from tests.e2e.test_cli import run


def test_a_key_alone_on_stdout(tmp_path: Path) -> None:
    """Only the key goes to stdout, so a script can take it; all else goes to stderr."""
    made = run(tmp_path, "keys", "create", "till 2", "--scope", "write", "--expires", "30d")
    assert 0 == made.returncode
    assert is_key(made.stdout.removesuffix("\n"))
    assert ["made key 1, till 2, with scope write; it is shown this once:"] == made.stderr.splitlines()


def test_life_of_a_key(tmp_path: Path) -> None:
    """A key is listed with its state and without its secret, rotated, and revoked."""
    first = run(tmp_path, "keys", "create", "till 2", "--scope", "admin").stdout.strip()
    rotated = run(tmp_path, "keys", "rotate", "1", "--overlap", "0s")
    assert is_key(rotated.stdout.strip())
    assert "1   till 2  admin" in (listed := run(tmp_path, "keys", "list").stdout)
    assert re.search(rf"…{rotated.stdout.strip()[-4:]} .* valid\n", listed)
    assert not set(re.findall(r"\w{36,}", listed)) & {first, rotated.stdout.strip()}
    assert "key 1, till 2, is revoked" in run(tmp_path, "keys", "revoke", "1").stderr
    assert "revoked 20" in run(tmp_path, "keys", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["revoke", "7"], 1, "Key not found"),
        (["rotate", "7"], 1, "Key not found"),
        (["create", " ", "--scope", "read"], 1, "name is required"),
        (["create", "x", "--scope", "root"], 2, "'root' is not one of"),
        (["create", "x"], 2, "--scope"),
        (["create", "x", "--scope", "read", "--expires", "tomorrow"], 2, "'--expires': must be a duration"),
        (["create", "x", "--scope", "read", "--expires", "0s"], 1, "expires_at must be in the future"),
        (["rotate", "1", "--overlap", "2d"], 2, "'--overlap': must be 24h at most"),
        (["--store"], 2, "--store"),
        ([], 2, "Usage: backroom keys"),
    ],
)
def test_what_is_refused(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    """A failed command writes its error to stderr, with the right exit code, and nothing to stdout."""
    ended = run(tmp_path, "keys", *arguments)
    assert (code, "") == (ended.returncode, ended.stdout)
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_store_that_nobody_else_could_see(tmp_path: Path) -> None:
    """There is no store in memory to make a key in."""
    ended = run(tmp_path, "keys", "list", store="memory://")
    assert (2, True) == (ended.returncode, "memory://" in ended.stderr)
