"""Importing the rows of a file, for the command: all are checked, and then they are written."""

import asyncio
import signal
from codecs import getincrementalencoder
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

from attrs import asdict, define, evolve, field

from adapters.serialization.rejected_rows import RejectedRows
from adapters.serialization.text_lines import ESCAPED, Unreadable
from domain.columns import BadColumns
from domain.errors import MAX_VIOLATIONS
from domain.ports import Store
from domain.rows import RowViolation
from domain.use_cases.import_rows import Imported, Refused, blocks, check_block, write_block
from entrypoints.import_job import Job, hints, read
from entrypoints.input_file import InputFile, WrongEncoding, opened
from entrypoints.output import Output
from entrypoints.store_errors import reason, shown
from entrypoints.store_location import file_of
from entrypoints.stores import opened as opened_store
from entrypoints.whole_file import appearing

DONE, FAILED, INTERRUPTED = 0, 1, 130

_COUNTED = ("rows", "created", "updated", "unchanged", "before")


class Changed(Exception):
    """The file was written to while it was read."""

    def __init__(self) -> None:
        super().__init__("somebody wrote to it meanwhile")


@define
class Tally:
    """What became of the rows so far. The first violations are kept, to be told."""

    total: Imported = Imported(rows=0)
    refused: int = 0
    told: list[RowViolation] = field(factory=list)
    omitted: int = 0

    def add(self, block: Imported) -> None:
        """Add what became of some more."""
        self.total = evolve(self.total, **{name: getattr(self.total, name) + getattr(block, name) for name in _COUNTED})
        self.refused += len(block.refused)
        for violation in (each for _, violations in block.refused for each in violations):
            if len(self.told) < MAX_VIOLATIONS:
                self.told.append(violation)
            else:
                self.omitted += 1


@define(eq=False)
class Import:
    """One run of the command."""

    job: Job
    output: Output
    _checked: Tally = field(factory=Tally, init=False)
    _written: Tally = field(factory=Tally, init=False)

    def run(self) -> int:
        """Import, and return the exit code."""
        start = monotonic()
        try:
            with opened(self.job.file) as file:
                asyncio.run(_until_interrupted(self._import(file)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            self.output.note("")  # the bar has the line
            self.output.error(f"interrupted; {self._so_far()}")
            return INTERRUPTED
        except OSError as error:
            self.output.error(f"{error.filename or self.job.file}: {error.strerror}; {self._so_far()}")
            return FAILED
        except (Unreadable, BadColumns, WrongEncoding, Changed) as error:
            self.output.error(f"{self.job.file}: {error}; {self._so_far()}")
            return FAILED
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
            self.output.error(f"{shown(self.job.target)}: {reason(error)}; {self._so_far()}")
            return FAILED
        return self._end(monotonic() - start)

    async def _import(self, file: InputFile) -> None:
        file.check_mark(self.job.encoding)
        name = self.job.name(file)
        async with _store_to_check(self.job) as store:
            await self._check(store, file, name)
        self._tell(self._checked)
        if not self.job.dry_run and (self.job.continues or not self._checked.refused):
            store = await opened_store(self.job.target)
            try:
                await self._write(store, file, name)
            finally:
                await store.close()

    async def _check(self, store: Store, file: InputFile, name: str) -> None:
        table, report = read(self.job, file, name), self.output.progress()
        report("checking", 0, file.size)
        for block in blocks(table.rows, table.plan):
            self._checked.add(await check_block(store, block, table.plan))
            report("checking", min(file.done, file.size - 1), file.size)
            await asyncio.sleep(0)  # Ctrl-C is noticed here
        report("checking", file.size, file.size)

    async def _write(self, store: Store, file: InputFile, name: str) -> None:
        """Write block by block; while one is written, the next one is read."""
        table, report = read(self.job, file, name), self.output.progress()
        if file.has_changed:
            raise Changed
        report("importing", 0, self._checked.total.rows)
        remaining = blocks(table.rows, table.plan)
        with _Rejected(self.job.rejected, table.rejected, file.encoding(self.job.encoding)) as rejected:
            block = next(remaining, None)
            while block is not None:
                writing = asyncio.ensure_future(write_block(store, block, table.plan))
                try:
                    block = await asyncio.to_thread(next, remaining, None)
                    await asyncio.shield(writing)
                finally:  # also after Ctrl-C, or where the file cannot be read any more, what was begun is told
                    goes_on = self._go_on(await writing, rejected)
                if not goes_on:
                    return
                report("importing", self._written.total.rows, self._checked.total.rows)

    def _go_on(self, block: Imported, rejected: "_Rejected") -> bool:
        """Note what became of a block, and tell whether the next one may be written."""
        self._written.add(block)
        if self.job.continues:
            rejected.add(block.refused)
            return True
        self._tell(self._written)  # what others wrote since the check may be in the way
        return not block.refused

    def _tell(self, tally: Tally) -> None:
        for each in tally.told:
            self.output.fault(f"{self.job.file}: {each}", **asdict(each))
        if tally.omitted:
            self.output.error(f"{self.job.file}: and {tally.omitted:,} more errors")
        for hint in hints(tally.told, self.job):
            self.output.note(hint)

    def _so_far(self) -> str:
        total = self._written.total
        imported = total.created + total.updated + total.unchanged + total.before
        if not imported:
            return "nothing was imported"
        return f"{imported:,} of {self._checked.total.rows:,} rows were imported; the same command goes on from there"

    def _end(self, seconds: float) -> int:
        """Tell the result, and return the exit code."""
        tally = self._checked if self.job.dry_run else self._written
        refused = tally.refused or self._checked.refused
        if refused and not self.job.continues:
            rows = self._checked.total.rows
            self.output.error(f"{self.job.file}: {refused:,} of {rows:,} rows cannot be imported; {self._so_far()}")
            return FAILED
        self.output.result(self._text(tally, seconds), **_facts(tally, seconds))
        return FAILED if refused else DONE

    def _text(self, tally: Tally, seconds: float) -> str:
        total = tally.total
        if self.job.dry_run:
            return f"checked {total.rows:,} rows in {seconds:.1f} s: {tally.refused:,} cannot be imported"
        parts = [f"{total.created:,} created", f"{total.updated:,} updated", f"{total.unchanged:,} left as they are"]
        if total.before:
            parts.append(f"{total.before:,} imported before (--again imports them once more)")
        if tally.refused:
            parts.append(
                f"{tally.refused:,} rejected, which are in {self.job.rejected}: mend and import that file alone"
            )
        return f"imported {total.rows:,} rows in {seconds:.1f} s: {', '.join(parts)}"


def _facts(tally: Tally, seconds: float) -> dict[str, Any]:
    facts = {name: getattr(tally.total, name) for name in _COUNTED}
    return {**facts, "refused": tally.refused, "seconds": round(seconds, 1)}


class _Rejected:
    """The file for rejected rows, which is made when there is one. It appears whole or not at all."""

    def __init__(self, file: Path, form: RejectedRows, encoding: str) -> None:
        self._file = file
        self._form = form
        self._encoder = getincrementalencoder(encoding)(ESCAPED)
        self._stack = ExitStack()
        self._out: BinaryIO | None = None

    def __enter__(self) -> "_Rejected":
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add(self, refused: Iterable[Refused]) -> None:
        """Write some rejected rows."""
        for row, violations in refused:
            if self._out is None:
                self._out = self._stack.enter_context(appearing(self._file))
                self._write(self._form.head)
            self._write(self._form.write(row, violations))

    def _write(self, text: str) -> None:
        assert self._out is not None
        self._out.write(self._encoder.encode(text))


@asynccontextmanager
async def _store_to_check(job: Job) -> AsyncIterator[Store]:
    """Open the store, but not if that would make one, or if what is in it does not matter."""
    store = await opened_store("memory://" if _is_missing(job.target) or not job.rules.asks_the_store else job.target)
    try:
        yield store
    finally:
        await store.close()


def _is_missing(url: str) -> bool:
    file = file_of(url)
    return file is not None and not file.exists()


async def _until_interrupted(work: Coroutine[Any, Any, None]) -> None:
    """Wait for a task that Ctrl-C cancels, but only where it waits."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    await task
