"""The modules of the page are typed by JSDoc, and their types are right."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).with_name("tsconfig.json")


def test_types() -> None:
    """TypeScript's checker, in its strict mode, finds nothing. Where there is none, say so and skip; in CI, fail."""
    program = shutil.which("tsc")
    if program is None:
        reason = "there is no tsc here, so no types are checked: install Debian's package node-typescript"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    checked = subprocess.run([program, "-p", PROJECT], capture_output=True, text=True, check=False)
    assert (0, "") == (checked.returncode, checked.stdout)
