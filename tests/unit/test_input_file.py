"""The file of an import."""

import os
from pathlib import Path

import pytest

from entrypoints.input_file import WrongEncoding, opened


def test_it_is_read_again_from_its_beginning(tmp_path: Path) -> None:
    """Each text begins at the first byte, whatever else was read meanwhile, and keeps the ends of lines."""
    file = tmp_path / "a.csv"
    file.write_bytes(b"a\r\nb\rc\n")
    with opened(file) as source:
        first = source.text("utf-8")
        assert "a\r\n" == first.readline()
        assert source.digest() == source.digest() != source.digest(",")
        assert ["a\r\n", "b\r", "c\n"] == list(source.text("utf-8"))
        assert (7, 7, "b\r") == (source.done, source.size, first.readline())


def test_what_cannot_be_read_twice(tmp_path: Path) -> None:
    """A named pipe is copied first."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = os.fork()
    if writer == 0:
        pipe.write_bytes(b"a\n")
        os._exit(0)
    with opened(pipe) as source:
        os.waitpid(writer, 0)
        assert [["a\n"]] * 2 == [list(source.text("utf-8")) for _ in range(2)]


def test_byte_order_marks(tmp_path: Path) -> None:
    """The mark is no part of the text; rejected rows get it too; that of another encoding is told."""
    file = tmp_path / "a.csv"
    file.write_text("a", encoding="utf-8-sig")
    with opened(file) as source:
        source.check_mark("utf-8")
        assert ("a", "utf-8-sig") == (source.text("utf-8").read(), source.encoding("utf-8"))
        with pytest.raises(WrongEncoding, match="begins as utf-8 does: say --encoding utf-8"):
            source.check_mark("cp1252")
    file.write_text("a", encoding="utf-16")
    with opened(file) as source:
        assert "a" == source.text("utf-16").read()
        with pytest.raises(WrongEncoding, match="begins as utf-16 does: say --encoding utf-16"):
            source.check_mark("utf-8")


def test_a_change_is_noticed(tmp_path: Path) -> None:
    """It is another file once somebody wrote to it."""
    file = tmp_path / "a.csv"
    file.write_text("a")
    with opened(file) as source:
        assert not source.has_changed
        file.write_text("ab")
        assert source.has_changed
