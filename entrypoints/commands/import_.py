"""The command that imports the rows of a file."""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from adapters.serialization.cells import DECIMAL_SIGNS
from adapters.serialization.text_lines import encoding_named
from domain.columns import BadColumns, check_renamed
from domain.entity_type import EntityType
from domain.public_types import PUBLIC_TYPES
from domain.rows import RowRules
from entrypoints.copying import fault
from entrypoints.garbage import collect_seldom
from entrypoints.import_job import Job
from entrypoints.importing import Import
from entrypoints.input_file import STDIN
from entrypoints.output import Output, output_options
from entrypoints.settings import PREFIX
from entrypoints.store_location import url_of
from entrypoints.threads import switch_often

_TYPES = {each.collection: each for each in PUBLIC_TYPES}
_MATCHES = ("id", *dict.fromkeys(field.name for each in PUBLIC_TYPES for field in each.unique))
_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}


@click.command("import")
@click.argument("what", metavar=f"[{'|'.join(_TYPES)}]", type=click.Choice(list(_TYPES)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "target", metavar="STORE", help=f"Where to import to ({PREFIX}STORE).")
@click.option("--format", "format", type=click.Choice(["ndjson", "csv"]), help="By default as FILE ends.")
@click.option("--match", type=click.Choice(_MATCHES), help="The field that tells which rows are there already.")
@click.option("--update", is_flag=True, help="Edit what is there already, rather than leaving it alone.")
@click.option(
    "--column", "columns", metavar="TITLE=FIELD", multiple=True, help="A column's field; TITLE= passes it over."
)
@click.option("--delimiter", default=",", metavar="SIGN", help="Between cells, such as ';' or 'tab'. By default ','.")
@click.option("--decimal", default=".", type=click.Choice(DECIMAL_SIGNS), help="In amounts. By default '.'.")
@click.option("--encoding", default="utf-8", help="Such as cp1252 or utf-16. By default utf-8.")
@click.option("--dry-run", is_flag=True, help="Only check; write nothing.")
@click.option("--continue", "continues", is_flag=True, help="Import good rows, and put the others into FILE.rejected.")
@click.option("--again", is_flag=True, help="Import a file once more that was imported within a day.")
@output_options
def command(
    *,
    what: str,
    file: Path,
    target: str | None,
    format: str | None,
    match: str | None,
    update: bool,
    columns: tuple[str, ...],
    delimiter: str,
    decimal: str,
    encoding: str,
    dry_run: bool,
    continues: bool,
    again: bool,
    mode: str | None,
) -> int:
    r"""Import tasks or products from FILE (- is stdin), beside a running service.

    All rows are checked before any is written; everything that is wrong is told, with line, column and value. CSV has a
    row of titles, which name the fields; an empty cell is null, which means the default. NDJSON has an object a line,
    also as `backroom export all` writes it.

    Every row makes an entity, with an id of its own: id, version and times of an export are passed over. With --match,
    a row whose id or sku is there already is left alone, or edited with --update, unless nothing differs. If it has a
    version, it is refused when the entity has been changed since that version.

    An import that was killed can be run again: rows that it has imported are not imported twice, for a day. Amounts
    have no signs between thousands. The exit code is 1 if any row was not imported.

    \b
    Example:
      backroom export tasks --output tasks.csv && backroom import tasks tasks.csv --match id --update
    """
    target = url_of(target)
    entity_type = _TYPES[what]
    format = format or _guessed(file)
    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)
    renamed = dict(each.rpartition("=")[::2] for each in columns)
    if found := fault("STORE", target) or _fault(entity_type, format, match, delimiter, columns, update=update):
        raise click.UsageError(found)
    assert format is not None
    try:
        check_renamed(entity_type, renamed.values())
        encoding = encoding_named(encoding)
    except BadColumns as error:
        raise click.UsageError(f"--column: {error}") from None
    except LookupError:
        raise click.UsageError(
            f"--encoding: {encoding!r} is unknown; there are utf-8, cp1252, utf-16 and others"
        ) from None
    job = Job(
        target=target,
        file=file,
        rules=RowRules(entity_type=entity_type, match=match, update=update),
        format=format,
        renamed=renamed,
        delimiter=delimiter,
        decimal=decimal,
        encoding=encoding,
        dry_run=dry_run,
        continues=continues,
        salt=secrets.token_hex(8) if again else "",
    )
    # A mended file is a new one, and its good rows would come twice.
    would_double = file != STDIN and match is None and not (again or dry_run)
    if (continues or would_double) and job.rejected.exists():
        raise click.UsageError(
            f"{job.rejected} is there already; all other rows were imported: import it once it is mended, or remove it"
        )
    collect_seldom()
    switch_often()
    return Import(job, Output(mode)).run()


def _guessed(file: Path) -> str | None:
    """Return the format that the name of a file tells; rejected rows have that of their file."""
    suffixes = [each.lower() for each in file.suffixes if each.lower() != ".rejected"]
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def _fault(
    entity_type: EntityType[Any],
    format: str | None,
    match: str | None,
    delimiter: str,
    columns: Iterable[str],
    *,
    update: bool,
) -> str | None:
    if format is None:
        return "say --format csv or --format ndjson: the name of the file does not tell"
    if match not in (None, "id", *(each.name for each in entity_type.unique)):
        return f"--match {match}: {entity_type.collection} have no {match}"
    if update and match is None:
        return "--update needs --match, which tells what to edit"
    if len(delimiter) != 1 or delimiter in '"\r\n':
        return "--delimiter must be one sign, such as ';', or 'tab'"
    if any("=" not in each for each in columns):
        return "--column must be TITLE=FIELD, such as 'Titel=title'"
    return None
