"""The command that copies a store into one file, at one moment."""

from pathlib import Path

import click

from entrypoints.copying import Words, fault, run
from entrypoints.output import Output, output_options
from entrypoints.settings import PREFIX
from entrypoints.store_location import file_of, url_of
from entrypoints.whole_file import partial_of, put, taken

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
    source = url_of(source)
    if found := fault("STORE", source) or _fault(file, source, replace):
        raise click.UsageError(found)
    partial = partial_of(file)
    _remove(partial)
    try:
        return run(source, f"sqlite:///{partial}", WORDS, Output(mode), at_last=lambda: put(partial, file))
    finally:
        _remove(partial)


def _fault(file: Path, source: str, replace: bool) -> str | None:
    origin = file_of(source)
    if origin is not None and file.resolve() == origin.resolve():
        return f"{file} is the store itself"
    return taken(file, replace=replace)


def _remove(partial: Path) -> None:
    for suffix in _BESIDE:
        partial.with_name(partial.name + suffix).unlink(missing_ok=True)
