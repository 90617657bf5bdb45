"""A store with something of everything, whose log is whole, and the verification of any store."""

from typing import Any

from domain.access.key_ring import CreateKey
from domain.access.key_text import hash_of, make_key
from domain.access.scopes import AccessScope
from domain.calendar import CreateCalendar
from domain.commands import Delete, Restore
from domain.inspection.findings import Finding
from domain.ports import Store
from domain.product import PRODUCT
from domain.task import TASK
from domain.webhook import WEBHOOK
from entrypoints.stores import verified
from tests.builders import NOON, Clock, create
from tests.contract.locations import opened
from tests.contract.steps import carry_out, edit
from tests.contract.test_deliveries import LEASE, attempt, delivery
from tests.contract.test_keys import key


async def populate(store: Store) -> None:
    """Write changes 1 to 13, keys, sessions, deliveries and outcomes."""
    await carry_out(store, create(TASK, title="one"), create(TASK, title="two"), create(TASK, title="three"))
    await carry_out(store, create(PRODUCT, name="A", sku="A-1"), create(PRODUCT, name="B", sku="B-1"))
    await carry_out(store, create(WEBHOOK), create(TASK, title="four \u00fc"))
    await carry_out(store, edit(TASK, 1, title="uno"), Delete(entity_type=TASK, id=2), key=key())
    await carry_out(
        store, Restore(entity_type=TASK, id=2), Delete(entity_type=TASK, id=3), edit(TASK, 1, due="2026-02-01")
    )
    await carry_out(store, edit(PRODUCT, 1, price="3.50"), key=key("other"))
    place = (await store.read(None, limit=2)).cursor
    assert await store.deliveries.claim(1, "p", LEASE)
    waiting = delivery(after=place, attempts=(attempt(), attempt(status=None, error="no")), next_attempt_at=NOON)
    assert await store.deliveries.record(1, "p", delivery=waiting, position=place)
    for secret in (make_key(lambda _: "A"), make_key(lambda _: "B")):
        await store.access_keys.change(CreateKey(name="till", scope=AccessScope.WRITE, expires_at=None, secret=secret))
        await store.access_keys.open_session(hash_of(f"t{secret}"), hash_of(secret))
    await store.calendars.change(CreateCalendar.parse({"name": "due"}, actor=None, secret="secret"))


async def populated(url: str) -> str:
    """Populate the store at a URL, and return the URL."""
    store = await opened(url, Clock())
    await populate(store)
    await store.close()
    return url


async def found(url: str) -> list[Finding]:
    """Return what verifying a store finds."""
    return (await verified(url, _ignore)).findings.first


def said(findings: list[Finding]) -> list[str]:
    """Return findings as lines."""
    return [f"{each.kind.value}: {each.where} {each.what}" for each in findings]


def _ignore(*_: Any) -> None:
    pass
