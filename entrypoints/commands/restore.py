"""The command that brings a backup back."""

from pathlib import Path

import click

from entrypoints.copying import Words, fault, run
from entrypoints.output import Output, output_options
from entrypoints.settings import PREFIX
from entrypoints.store_location import url_of

WORDS = Words("restoring", "restored")


@click.command
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "target", metavar="STORE", help=f"The empty store that takes it over ({PREFIX}STORE).")
@output_options
def command(file: Path, target: str | None, mode: str | None) -> int:
    r"""Bring a backup back, into a store that must be empty.

    All of FILE is written in one transaction, and compared, before that is committed: all is restored, or nothing. A
    cursor of the log that was given after the backup answers 410 from then on.

    \b
    Example:
      backroom backup monday.db && backroom restore monday.db --to sqlite:///again.db
    """
    target = url_of(target)
    if found := fault("STORE", target):
        raise click.UsageError(found)
    return run(f"sqlite:///{file}", target, WORDS, Output(mode))
