"""Import rows into a collection: all of them are checked, and then they are written, in blocks.

An import that was interrupted can be repeated: rows that make an entity are written under an idempotency key, which is
made of the name of the import and the number of the block. Rows that name their entity need none, because they leave
alone what does not differ.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from attrs import field, frozen

from domain.changes import Action
from domain.commands import Command, Create
from domain.decisions import MAX_COMMANDS, CommandBatch, Done, IdempotencyKey, Outcome, Replay, Result
from domain.entity_type import Parse
from domain.errors import DomainError
from domain.ports import Writer
from domain.rows import Row, RowParser, RowRules, RowViolation, violations_of

CALLER = "import"
"""The caller to whom the idempotency keys of imports belong; no key of a service has this name."""


@frozen(kw_only=True)
class ImportPlan:
    """How rows are imported. `name` is made of their content, so the same rows always have the same name.

    `columns` has the titles of the columns of fields. If it `continues`, rows that are refused do not stop others.
    """

    rules: RowRules
    parse: Parse
    name: str
    columns: Mapping[str, str]
    continues: bool = False


Refused = tuple[Row, list[RowViolation]]
"""A row that is refused, with everything that is wrong with it."""


@frozen(kw_only=True)
class Imported:
    """What became of a block of rows. `before` is the number of those that an earlier run has imported."""

    rows: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    before: int = 0
    refused: tuple[Refused, ...] = ()


@frozen
class Block:
    """Some rows, with the command of each, or the reason why there is none, by their indexes."""

    number: int
    rows: tuple[Row, ...]
    commands: dict[int, Command] = field(factory=dict, init=False)
    refused: dict[int, DomainError] = field(factory=dict, init=False)


def blocks(rows: Iterable[Row], plan: ImportPlan) -> Iterator[Block]:
    """Return rows in blocks; the same rows are always cut in the same way."""
    parser, remaining = RowParser(plan.rules, plan.parse), iter(rows)
    number = 0
    while some := tuple(islice(remaining, MAX_COMMANDS)):
        block = Block(number, some)
        for index, row in enumerate(some):
            try:
                block.commands[index] = parser.command(row)
            except DomainError as error:
                block.refused[index] = error
        yield block
        number += 1


async def check_block(writer: Writer, block: Block, plan: ImportPlan) -> Imported:
    """Return what would become of a block, if those before it were written. Raises the errors of `Writer.submit`."""
    if not plan.rules.asks_the_store:
        return _result(block, plan, {}, before=0)
    return await _submit(writer, block, plan, dry_run=True)


async def write_block(writer: Writer, block: Block, plan: ImportPlan) -> Imported:
    """Write a block. Unless the import continues, one refused row undoes the block. Raises the same."""
    return await _submit(writer, block, plan, dry_run=False)


async def _submit(writer: Writer, block: Block, plan: ImportPlan, *, dry_run: bool) -> Imported:
    results: dict[int, Result] = {}
    before = 0
    for key, indexes in _parts(block, plan):
        batch = CommandBatch(
            commands=tuple(block.commands[index] for index in indexes),
            request_id=f"{CALLER}-{plan.name}",
            atomic=not (plan.continues or dry_run),
            dry_run=dry_run,
            key=key,
            brief=True,
        )
        answer = await writer.submit(batch)
        outcome = answer.outcome if isinstance(answer, Replay) else answer
        assert isinstance(outcome, Outcome), "no earlier version kept outcomes of imports"
        decided = dict(zip(indexes, outcome.results, strict=False))
        refused = {index: each for index, each in decided.items() if isinstance(each, DomainError)}
        if isinstance(answer, Replay):
            before += len(indexes) - len(refused)
        results |= refused if isinstance(answer, Replay) or outcome.failed is not None else decided
    return _result(block, plan, results, before=before)


def _parts(block: Block, plan: ImportPlan) -> Iterator[tuple[IdempotencyKey | None, list[int]]]:
    """Yield the indexes of rows that make an entity, with their key, and of all others."""
    making = [index for index, command in block.commands.items() if isinstance(command, Create)]
    others = [index for index, command in block.commands.items() if not isinstance(command, Create)]
    if making:
        name = f"{plan.name}-{block.number}"
        yield IdempotencyKey(caller=CALLER, name=name, fingerprint=plan.name.encode()), making
    if others:
        yield None, others


def _result(block: Block, plan: ImportPlan, results: Mapping[int, Result], *, before: int) -> Imported:
    actions = [each.action for each in results.values() if isinstance(each, Done)]
    errors: dict[int, Any] = {index: each for index, each in results.items() if isinstance(each, DomainError)}
    refused = sorted((block.refused | errors).items())
    return Imported(
        rows=len(block.rows),
        created=actions.count(Action.CREATED),
        updated=actions.count(Action.UPDATED),
        unchanged=actions.count(None),
        before=before,
        refused=tuple(
            (block.rows[index], violations_of(block.rows[index], error, plan.columns)) for index, error in refused
        ),
    )
