"""The watch that no test leaves a secret behind."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.webhooks.signing import secret_of
from domain.access.key_text import make_calendar_secret, make_key, make_token
from tests.secrecy import MAY_HOLD, left_behind, note

SECRETS = [make(secrets.choice) for make in (make_key, make_token, make_calendar_secret)]


def report(*sections: tuple[str, str]) -> pytest.TestReport:
    """Return the report of a test that passed, with what was captured."""
    return pytest.TestReport("x", ("x", 1, "x"), {}, "passed", None, "teardown", sections)


def is_found(folder: Path | None = None, *sections: tuple[str, str]) -> bool:
    """Tell whether a secret is found."""
    return bool(left_behind(report(*sections), folder))


@pytest.mark.parametrize("way", ["{0}", "/?key={0}&x", "x{0}x", '{{"key":"{0}"}}', "é{0}"])
@pytest.mark.parametrize("secret", [*SECRETS, secret_of(b"k", webhook=1, version=1)], ids=range(4))
def test_a_secret_is_found(tmp_path: Path, secret: str, way: str) -> None:
    """A secret is found in what was noted or captured and in a file, whatever is around it."""
    text = way.format(secret)
    note("noted", text)
    assert [True, False] == [is_found(), is_found()]
    assert is_found(None, ("Captured log call", text))
    file = tmp_path / "deep" / "file"
    file.parent.mkdir()
    file.write_bytes(b"\0" + text.encode() + b"\xff")
    assert is_found(tmp_path)
    MAY_HOLD.add(file)
    assert not is_found(tmp_path)


def test_a_part_is_found(tmp_path: Path) -> None:
    """A secret is found without its prefix, and in what was printed also if it was cut off."""
    secret = SECRETS[0]
    for part in (secret[4:], secret[:12]):
        note("noted", f"the key {part}.")
        assert is_found()
    (tmp_path / "file").write_text(secret[4:])
    assert is_found(tmp_path)
    (tmp_path / "file").unlink()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("is_text", [True, False])
def test_a_secret_that_a_process_prints(stream: str, is_text: bool) -> None:
    """A secret is found in the output of a process, however that is read, but for commands that print a key."""
    secret = SECRETS[0]
    program = [sys.executable, "-c", f"import sys; sys.{stream}.write('\\n'.join(sys.argv))"]
    for command, expected in (([secret], True), (["create", secret], stream == "stderr"), ([secret[:20]], True)):
        subprocess.run([*program, *command], text=is_text, capture_output=True, check=True)
        assert expected == is_found()
    with subprocess.Popen([*program, secret], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        pipe = getattr(process, stream)
        assert ["-c\n", secret] == [pipe.readline(), *pipe]
    assert is_found()


@pytest.mark.parametrize(
    "text", ["brm_…", "brm_x", "a" * 36, make_key(lambda every: every[0]), "whsec_x", "0" * 64, ""]
)
def test_other_text(tmp_path: Path, text: str) -> None:
    """Text that is no secret is none."""
    (tmp_path / "file").write_text(text)
    note("noted", text)
    assert not is_found(tmp_path)
