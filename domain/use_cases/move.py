"""Moving the content of one store to another, and comparing the copy."""

from collections.abc import Callable, Set

from attrs import evolve

from domain.errors import Unavailable
from domain.snapshot import Entities, Export, Import, Metadata, Part, SameLog, size

Report = Callable[[str, int, int], None]
"""Takes the current stage, the number done and the total."""


class Different(Exception):
    """The copy differs from the original."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the copy differs from the original, and was given up: {what}")


class Undecided(Exception):
    """The target was lost during the commit."""

    def __init__(self) -> None:
        super().__init__("the target was lost at the commit; if it is not empty now, everything was moved")


async def names_of_log(source: Export) -> Set[str]:
    """Return the names of a log. They show when a target is the source itself, however its URL is spelt."""
    first = await anext(source.read())
    assert isinstance(first, Metadata), "everything begins with what there is of once"
    return first.logs.keys()


async def move(source: Export, target: Import, report: Report) -> int:
    """Copy everything, compare every part of it with the original, and only then commit; return how many were moved.

    Raises `SameLog`, `Different`, and the errors of the ports; nothing has been moved then. Raises `Undecided` if
    that is unknown.
    """
    total = await source.size()
    done = 0
    report("copying", done, total)
    async for part in source.read():
        if isinstance(part, Metadata):
            await _check_other(part, target.taken)
        await target.write(part)
        done += size(part)
        report("copying", done, total)
    report("indexing", 0, 1)
    await target.arrange()
    report("indexing", 1, 1)
    await _compare(source, target.taken, total, report)
    try:
        await target.commit()
    except Unavailable as error:
        raise Undecided from error
    return total


async def _check_other(facts: Metadata, target: Export) -> None:
    mine = await anext(target.read())
    if isinstance(mine, Metadata) and facts.logs.keys() & mine.logs.keys():
        raise SameLog


async def _compare(source: Export, target: Export, total: int, report: Report) -> None:
    """Read both side by side. Raises `Different` at the first difference."""
    done = 0
    report("comparing", done, total)
    copies = target.read()
    async for original in source.read():
        copy = await anext(copies, None)
        if copy is None or not is_kept(original, copy):
            raise Different(_name(original))
        done += size(original)
        report("comparing", done, total)
    async for surplus in copies:
        raise Different(_name(surplus))


def is_kept(original: Part, copy: Part) -> bool:
    """Tell whether a copy equals the original, except that its log has one more name."""
    match original, copy:
        case Metadata(), Metadata():
            return original.logs.items() <= copy.logs.items() and original == evolve(copy, logs=original.logs)
        case _:
            return original == copy


def _name(part: Part) -> str:
    if isinstance(part, Entities):
        return f"{part.entity_type.collection} from {part.records[0].id} on"
    return type(part).__name__.lower()
