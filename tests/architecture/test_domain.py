"""What points at the domain: code that is about one entity, its tests, and what a store is given."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import get_type_hints

from domain.decisions import CommandBatch
from tests.architecture.test_imports import imported

ROOT = Path(__file__).parents[2]
ENTITIES = {"domain.task", "domain.product", "domain.webhook"}
OF_ONE_ENTITY = {
    "domain/stock.py",
    "domain/todo.py",
    "domain/calendar.py",
    "domain/scheduling.py",
    "domain/use_cases/demonstrate.py",
    "domain/use_cases/subscribe.py",
    "domain/use_cases/request_delivery.py",
    "domain/use_cases/list_deliveries.py",
    "domain/use_cases/deliver.py",
    "adapters/serialization/calendars.py",
    "adapters/http/handlers/todos.py",
    "adapters/http/handlers/webhooks.py",
    "adapters/http/routes/calendars.py",
    "adapters/http/routes/webhooks.py",
}
"""What is about one entity by its name. Everything else asks the entity type for what it declares."""

REGISTRIES = {"domain/public_types.py", "domain/registry.py"}


def test_only_what_is_about_an_entity_names_it() -> None:
    """Stores, lists, filters, documents, exports and the like name no entity, so a new one needs no change there."""
    sources = chain.from_iterable((ROOT / each).rglob("*.py") for each in ("domain", "adapters", "entrypoints"))
    naming = {str(each.relative_to(ROOT)) for each in sources if ENTITIES.intersection(imported(each, ROOT))}
    assert OF_ONE_ENTITY | REGISTRIES == naming


def test_tests_of_the_domain_need_no_adapter() -> None:
    """Unit tests call the domain directly; the serializer makes documents, and use cases get a store in memory."""
    subjects = {each.stem: each.relative_to(ROOT).parts[1] for each in (ROOT / "domain").rglob("*.py")}
    found = {}
    for test in (ROOT / "tests/unit").glob("test_*.py"):
        folder = subjects.get(test.stem.removeprefix("test_"))
        allowed = ("adapters.serialization", *(["adapters.memory"] if folder == "use_cases" else []))
        if folder is not None and (others := [each for each in adapters(test) if not each.startswith(allowed)]):
            found[test.name] = others
    assert {} == found


def adapters(test: Path) -> Iterator[str]:
    """Yield the modules of adapters that a test imports, also by what it shares with other tests."""
    seen, waiting = {test}, [test]
    while waiting:
        for module in imported(waiting.pop(), ROOT):
            if module.startswith("adapters"):
                yield module
            shared = ROOT.joinpath(*module.split(".")).with_suffix(".py")
            if module.startswith("tests.") and shared not in seen:
                seen.add(shared)
                waiting.append(shared)


def test_a_batch_is_data() -> None:
    """A store can render nothing while its transaction is open: no part of a batch is a function of the protocol."""
    hints = {name: str(hint) for name, hint in get_type_hints(CommandBatch).items()}
    assert "commands" in hints
    assert [] == [name for name, hint in hints.items() if "Callable" in hint or "Awaitable" in hint]
