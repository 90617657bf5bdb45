"""Files that appear whole or not at all."""

from pathlib import Path

import pytest

from entrypoints.whole_file import appearing, partial_of, taken


def test_it_appears_at_the_end(tmp_path: Path) -> None:
    """The name is there once everything was written, and nothing is left beside it."""
    file = tmp_path / "a.csv"
    with appearing(file) as out:
        out.write(b"all of it")
        assert not file.exists()
    assert (b"all of it", [file]) == (file.read_bytes(), list(tmp_path.iterdir()))


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_after_an_error_all_is_as_before(tmp_path: Path, error: type[BaseException]) -> None:
    """A file of that name keeps its content, and nothing is left beside it."""
    file = tmp_path / "a.csv"
    file.write_bytes(b"before")

    def write_half() -> None:
        with appearing(file) as out:
            out.write(b"half of it")
            raise error

    with pytest.raises(error):
        write_half()
    assert (b"before", [file]) == (file.read_bytes(), list(tmp_path.iterdir()))


def test_what_a_killed_process_left(tmp_path: Path) -> None:
    """It is overwritten from its beginning."""
    file = tmp_path / "a.csv"
    partial_of(file).write_bytes(b"left by another, and longer")
    with appearing(file) as out:
        out.write(b"new")
    assert b"new" == file.read_bytes()


def test_two_at_once(tmp_path: Path) -> None:
    """The second one is refused, and harms neither the first nor its file."""
    file = tmp_path / "a.csv"
    with appearing(file) as out:
        out.write(b"first")
        with pytest.raises(FileExistsError, match="another process is writing it"), appearing(file):
            pytest.fail("two write one file")
    assert b"first" == file.read_bytes()


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    """A file is replaced only if that is wanted; a folder or a device never is."""
    file = tmp_path / "a.csv"
    assert taken(file, replace=False) is None
    file.touch()
    assert "--replace lets" in (taken(file, replace=False) or "")
    assert taken(file, replace=True) is None
    assert "is not a regular file" in (taken(tmp_path, replace=True) or "")
    assert "is not a regular file" in (taken(Path("/dev/null"), replace=True) or "")
