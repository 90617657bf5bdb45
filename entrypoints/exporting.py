"""Exporting into a file or to stdout, for the command."""

import asyncio
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from attrs import frozen

from adapters.serialization.exports import CsvExport, ExportFormat, NdjsonExport
from domain.use_cases.export import Selection, export, size
from entrypoints.garbage import collect_seldom
from entrypoints.output import Output
from entrypoints.store_errors import reason, shown
from entrypoints.stores import exporting
from entrypoints.whole_file import appearing

DONE, FAILED, INTERRUPTED = 0, 1, 130


@frozen(kw_only=True)
class Job:
    """An export: from a store, into a file or to stdout."""

    source: str
    selection: Selection
    format: str
    file: Path | None


def run(job: Job, mode: str | None) -> int:
    """Export, and return the exit code. A reader of stdout that closes it early has what it wants."""
    output = Output(mode if job.file or not sys.stdout.isatty() else "quiet", sys.stdout if job.file else sys.stderr)
    start = monotonic()
    collect_seldom()
    try:
        exported = asyncio.run(_export(job, output))
    except KeyboardInterrupt:
        output.note("")  # the bar has the line
        output.error("interrupted" + (f"; there is no {job.file}" if job.file else ""))
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return DONE
    except OSError as error:
        output.error(f"{job.file or 'stdout'}: {error.strerror}; the export is not whole")
        return FAILED
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
        output.error(f"{shown(job.source)}: {reason(error)}; nothing was exported")
        return FAILED
    seconds = monotonic() - start
    where = f" to {job.file}" if job.file else ""
    text = f"exported {exported:,} {_what(job.selection)}{where} in {seconds:.1f} s"
    output.result(text, exported=exported, seconds=round(seconds, 1))
    return DONE


async def _export(job: Job, output: Output) -> int:
    """Return how much was exported."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which also ends a write that waits for its reader
    written, form = 0, _format(job)
    with _target(job.file) as out:
        try:
            async with exporting(job.source) as reader:
                _write(out, form.head)
                async for part in export(reader, job.selection, output.progress()):
                    _write(out, form.write(part))
                    written += size(part)
        except _Unwritable as error:
            raise error.cause from None
    return written


@frozen
class _Unwritable(Exception):
    """The target cannot be written to. A store would take a plain `OSError` for its own."""

    cause: OSError


def _write(out: BinaryIO, text: str) -> None:
    try:
        out.write(text.encode())
        out.flush()
    except OSError as error:
        raise _Unwritable(error) from None


def _target(file: Path | None) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdout.buffer) if file is None else appearing(file)


def _format(job: Job) -> ExportFormat:
    selection = job.selection
    if job.format == "csv":
        return CsvExport(selection.entity_types[0])
    return NdjsonExport(named=len(selection.entity_types) > 1 or selection.history)


def _what(selection: Selection) -> str:
    names = [*(each.collection for each in selection.entity_types), *(["changes"] if selection.history else [])]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
