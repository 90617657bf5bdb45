"""The location of a store, and a hint that another one was probably meant."""

from pathlib import Path

import pytest

from entrypoints.store_location import absolute, overlooked

DEFAULT = "sqlite:///data/backroom.db"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder of its own, within others."""
    folder = tmp_path / "around" / "here"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def stored(folder: Path) -> Path:
    """Put a file where the default store of a folder is."""
    path = folder / "data" / "backroom.db"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_absolute(here: Path) -> None:
    """A relative path becomes an absolute one; any other URL stays as it is."""
    assert f"sqlite:///{here}/data/backroom.db" == absolute(DEFAULT)
    for url in ("memory://", f"sqlite:///{here}/shop.db", "postgresql://host/shop"):
        assert url == absolute(url)


def test_a_file_in_a_folder_around(here: Path, tmp_path: Path) -> None:
    """A start in a subfolder points to the store in the parent folder."""
    meant = stored(here.parent)
    assert meant == overlooked(DEFAULT, tmp_path / "program")


def test_a_file_of_the_program(tmp_path: Path) -> None:
    """A start from another folder points to the store beside the program."""
    meant = stored(tmp_path / "program")
    assert meant == overlooked(DEFAULT, tmp_path / "program")


def test_nothing_to_tell(here: Path, tmp_path: Path) -> None:
    """A store that is there, one that is named whole, and one like which there is none: nothing else can be meant."""
    assert overlooked(DEFAULT, tmp_path) is None
    stored(here.parent)
    for url in ("memory://", f"sqlite:///{here}/data/backroom.db", "sqlite:///other.db"):
        assert overlooked(url, tmp_path) is None
    stored(here)
    assert overlooked(DEFAULT, tmp_path) is None
