"""The command that copies a store into one file, at one moment."""

import os
from pathlib import Path

import click

from entrypoints.copying import Words, fault, run
from entrypoints.output import Output, output_options
from entrypoints.settings import PREFIX, Settings

WORDS = Words("backing up", "backed up")
_BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite keeps beside a file while it is open


@click.command
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "source", metavar="STORE", help=f"What to back up ({PREFIX}STORE).")
@click.option("--replace", is_flag=True, help="Let the new file take the place of one that is there, once it is whole.")
@output_options
def command(file: Path, source: str | None, replace: bool, mode: str | None) -> int:
    r"""Copy a store into FILE, at one moment, beside a running service.

    FILE is a SQLite file, of a PostgreSQL store too, with everything in it: entities, history, idempotency keys, access
    keys, webhooks with their secrets. It is compared with the store before it gets its name, so it appears whole or not
    at all. `backroom restore` brings it back.

    \b
    Example:
      backroom backup monday.db
    """
    source = source or os.environ.get(f"{PREFIX}STORE") or Settings().store
    if found := fault("STORE", source) or _fault(file, source, replace):
        raise click.UsageError(found)
    partial = file.with_name(f"{file.name}.partial")
    _remove(partial)
    try:
        return run(source, f"sqlite:///{partial}", WORDS, Output(mode), at_last=lambda: _put(partial, file))
    finally:
        _remove(partial)


def _fault(file: Path, source: str, replace: bool) -> str | None:
    if source.startswith("sqlite:") and file.resolve() == Path(source.removeprefix("sqlite:///")).resolve():
        return f"{file} is the store itself"
    if file.exists() and not replace:
        return f"{file} is there already; --replace lets the new one take its place"
    return None


def _put(partial: Path, file: Path) -> None:
    """Give the copy its name, so that it lasts: SQLite has synced the file, and this syncs its folder."""
    partial.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(partial: Path) -> None:
    for suffix in _BESIDE:
        partial.with_name(partial.name + suffix).unlink(missing_ok=True)
