"""The command that writes entities into a file, for other programs."""

from pathlib import Path

import click

from domain.errors import DomainError
from domain.filters import Filters
from domain.public_types import PUBLIC_TYPES
from domain.use_cases.export import Selection
from entrypoints.copying import fault
from entrypoints.exporting import Job, run
from entrypoints.output import output_options
from entrypoints.settings import PREFIX
from entrypoints.store_location import url_of
from entrypoints.whole_file import taken

ALL = "all"
_TYPES = {each.collection: (each,) for each in PUBLIC_TYPES} | {ALL: PUBLIC_TYPES}
_SUFFIXES = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}


@click.command
@click.argument("what", metavar=f"[{'|'.join(_TYPES)}]", type=click.Choice(list(_TYPES)))
@click.option("--from", "source", metavar="STORE", help=f"What to export ({PREFIX}STORE).")
@click.option("--format", "format", type=click.Choice(["ndjson", "csv"]), help="By default as FILE ends, else ndjson.")
@click.option("--output", "file", metavar="FILE", type=click.Path(path_type=Path), help="By default stdout.")
@click.option("--replace", is_flag=True, help="Let the new file take the place of one that is there, once it is whole.")
@click.option("--filter", "filters", metavar="FILTERS", help="Only these, such as 'status=done&due[lte]=2026-12-31'.")
@click.option("--history", is_flag=True, help="Behind the entities, all their changes that the log keeps.")
@output_options
def command(
    *,
    what: str,
    source: str | None,
    format: str | None,
    file: Path | None,
    replace: bool,
    filters: str | None,
    history: bool,
    mode: str | None,
) -> int:
    r"""Write tasks, products or all of both, as they are at one moment, beside a running service.

    FILE appears whole or not at all. CSV is RFC 4180 in UTF-8: the names of the fields in the first row, null as an
    empty cell, an empty text as two quotes. NDJSON has one entity a line. Where lines may be of several types (all,
    --history), each is {"type": "task", "data": {...}}, and a change is as in GET /changes.

    FILTERS are those of lists. No key, no webhook and no secret is exported; `backroom backup` copies everything.

    \b
    Example:
      backroom export tasks --filter 'status[in]=pending,in_progress' --output open.csv
    """
    source = url_of(source)
    file = None if file == Path("-") else file
    format = format or _SUFFIXES.get("" if file is None else file.suffix.lower(), "ndjson")
    if (
        found := fault("STORE", source)
        or (file and taken(file, replace=replace))
        or _fault(what, format, filters, history=history)
    ):
        raise click.UsageError(found)
    entity_types = _TYPES[what]
    try:
        where = Filters(entity_types[0]).parse(filters) if filters else ()
    except DomainError as error:
        raise click.UsageError(f"--filter: {error}") from None
    selection = Selection(entity_types=entity_types, where=where, history=history)
    return run(Job(source=source, selection=selection, format=format, file=file), mode)


def _fault(what: str, format: str, filters: str | None, *, history: bool) -> str | None:
    if format == "csv" and what == ALL:
        return f"a CSV file holds one table: export {' and '.join(list(_TYPES)[:-1])} into files of their own"
    if format == "csv" and history:
        return "--history needs --format ndjson: a table has no place for changes"
    if filters and what == ALL:
        return f"--filter needs one type of entities, because their fields differ: {', '.join(list(_TYPES)[:-1])}"
    if filters and history:
        return "--filter selects by what entities are now, and --history has all changes: use one of them"
    return None
