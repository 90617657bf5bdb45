"""The service put together from its adapters. It closes what it opens, in reverse order."""

import asyncio
import platform
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from time import monotonic
from typing import Any

from attrs import frozen
from starlette.types import ASGIApp

from adapters.http.admission.gate import Gate
from adapters.http.admission.timed_gate import TimedGate
from adapters.http.app import Options, make_app, make_metrics_app
from adapters.http.fairness.capacity import Capacity
from adapters.http.fairness.heavy_work import HeavyWork
from adapters.http.fairness.slots import Slots
from adapters.http.feed.feed import Feed
from adapters.http.handlers.metrics import Metrics
from adapters.http.middleware.access_log import AccessLog, as_json, as_text
from adapters.http.timing.stopwatch import Phase, note
from adapters.http.timing.timed_store import timed_store
from adapters.metrics.exposition import Exposition
from adapters.metrics.recorder import Recorder
from adapters.serialization.deliveries import payload
from adapters.serialization.entities import JsonSerializer
from adapters.webhooks.dispatcher import Dispatcher
from adapters.webhooks.late_sender import LateSender
from domain.deliveries import Delivery
from domain.errors import DomainError
from domain.measurements import unnoticed
from domain.ports import Store
from domain.registry import ENTITY_TYPES
from domain.use_cases.demonstrate import demonstrate
from domain.use_cases.retain import retain
from entrypoints.diagnostics import LOG, STDERR
from entrypoints.installation import DISTRIBUTION
from entrypoints.settings import Settings
from entrypoints.shared import Shared
from entrypoints.stores import now, opened, stop_at_once

PURGE_EVERY_S = 60
BODIES_AWAITED_S = 4  # when the service stops; less than the server takes to cancel what goes on
NOTE_USES_EVERY_S = 30
SAMPLE_EVERY_S = 1
TELLING = timedelta(days=1)
"""How far the clock may be ahead of the latest writes before a warning."""

CLOCK_AHEAD = (
    "the clock says %s, but by what was written lately it is %s. History and idempotency keys are purged by that time"
    " until it has caught up. If the clock is right, nothing needs to be done; if it is wrong, set it"
)


@frozen
class Applications:
    """The service, and the metrics alone for an address of their own."""

    service: ASGIApp
    metrics: ASGIApp


@asynccontextmanager
async def wired(
    settings: Settings, shared: Shared, stopping: asyncio.Event | None = None
) -> AsyncIterator[Applications]:
    """Yield the applications with their adapters, and close them afterwards.

    When `stopping` is set, followers are closed at once, because they would never end. Incomplete bodies are dropped
    some seconds later.
    """
    async with AsyncExitStack() as stack:
        recorder = Recorder(shared.numbers)
        is_timed = settings.slow is not None
        on_wait = partial(note, Phase.QUEUE) if is_timed else unnoticed
        access_log = AccessLog(
            STDERR.write,
            as_json if settings.log == "json" else as_text,
            recorder.requests,
            None if settings.slow is None else settings.slow.total_seconds(),
        )
        stop = partial(_stop_after, access_log.flush)
        store = await opened(settings.store, on_untrustworthy=stop, on_group=recorder.group, on_wait=on_wait)
        stack.push_async_callback(store.close)
        if settings.demo:
            await demonstrate(store)
        stack.callback(access_log.flush)
        await stack.enter_async_context(_running(_purge(store, settings.changes_kept)))
        gate_type = TimedGate if is_timed else Gate
        gate = gate_type(store.access_keys, shared.limiter, settings.rate_limit, allow_public=settings.open)
        stack.push_async_callback(_note_uses, gate)
        await stack.enter_async_context(_running(_keep_noting_uses(gate)))
        secret = await store.secret()
        dispatcher = dispatcher_of(
            store, secret, allow_private=settings.webhooks_allow_private, on_attempt=recorder.attempt
        )
        await stack.enter_async_context(_running(dispatcher.run()))
        capacity = Capacity(heavy_work=HeavyWork(Slots(store.large_at_once)))
        feed = Feed(store, capacity.turns)
        stack.push_async_callback(feed.close)
        if stopping is not None:
            await stack.enter_async_context(_running(_close_when(stopping, feed, capacity)))
        sample = partial(_sample, recorder, capacity, store)
        await stack.enter_async_context(_running(_keep_sampling(sample)))
        exposition = Exposition(
            numbers=shared.numbers,
            measure=store.measure,
            refresh=partial(_refresh, access_log, sample),
            clock=now,
            build=_build(settings.store),
        )
        metrics = Metrics(exposition.text)
        service = make_app(
            timed_store(store) if is_timed else store,
            secret,
            _options(settings),
            access_log,
            feed,
            dispatcher=dispatcher,
            gate=gate,
            capacity=capacity,
            metrics=metrics,
        )
        yield Applications(service, make_metrics_app(metrics, access_log, capacity))


def _options(settings: Settings) -> Options:
    """Return what the settings say about requests."""
    return Options(
        max_body=settings.max_body,
        require_if_match=settings.require_if_match,
        origins=settings.cors_origins,
        hosts=settings.hosts,
        proxies=settings.trusted_proxies,
        todo_backend=settings.todo_backend,
        is_public=not settings.is_loopback,
    )


def dispatcher_of(
    store: Store, key: bytes, *, allow_private: bool = False, on_attempt: Callable[[Delivery], object] = lambda _: None
) -> Dispatcher:
    """Return the dispatcher that delivers the changes of a store to its webhooks. `on_attempt` is told of each try."""
    return Dispatcher(
        store=store,
        transport=LateSender(allow_private),
        documents=JsonSerializer(ENTITY_TYPES),
        payload=payload,
        key=key,
        clock=now,
        on_attempt=on_attempt,
    )


def _stop_after(last_work: Callable[[], None], reason: str) -> None:
    """End the process at once, but for something short, which may fail."""
    try:
        last_work()
    finally:
        stop_at_once(reason)


async def _purge(store: Store, kept: timedelta) -> None:
    """Purge old data in small steps, forever."""
    asked, is_told = monotonic(), False
    while True:
        try:
            at, asking = now(), monotonic()
            elapsed = timedelta(seconds=asking - asked)
            believed = await retain(store, at=at, elapsed=elapsed, kept=kept, turn=_next_turn)
            asked = asking
            if at - believed > TELLING and not is_told:
                LOG.warning(CLOCK_AHEAD, *(f"{each:%Y-%m-%d %H:%M} UTC" for each in (at, believed)))
                is_told = True
        except DomainError as error:
            LOG.warning("sweeping failed, and will be tried again: %s", error)
        except Exception:  # noqa: BLE001 - told, and everything that is no longer kept is not kept for ever
            LOG.exception("sweeping failed, and will be tried again")
        await asyncio.sleep(PURGE_EVERY_S)


async def _next_turn() -> None:
    await asyncio.sleep(0)  # others write between two steps


async def _keep_noting_uses(gate: Gate) -> None:
    while True:
        await asyncio.sleep(NOTE_USES_EVERY_S)
        await _note_uses(gate)


async def _note_uses(gate: Gate) -> None:
    """Store the last use of keys; a failed write is tried again with the next."""
    try:
        await gate.note_uses(now())
    except DomainError as error:
        LOG.warning("noting which keys were used failed, and will be tried again: %s", error)


async def _keep_sampling(sample: Callable[[], None]) -> None:
    while True:
        sample()
        await asyncio.sleep(SAMPLE_EVERY_S)


def _sample(recorder: Recorder, capacity: Capacity, store: Store) -> None:
    """Note what goes on in this process, for whichever worker is asked."""
    recorder.sample(active=capacity.at_work.taken, followers=capacity.following, connections=store.connections)


def _refresh(access_log: AccessLog, sample: Callable[[], None]) -> None:
    access_log.flush()
    sample()


def _build(store: str) -> Mapping[str, str]:
    scheme = "postgresql" if store.startswith("postgres") else store.partition(":")[0]
    return {"version": version(DISTRIBUTION), "python": platform.python_version(), "store": scheme}


async def _close_when(stopping: asyncio.Event, feed: Feed, capacity: Capacity) -> None:
    await stopping.wait()
    await feed.close()
    await asyncio.sleep(BODIES_AWAITED_S)
    capacity.bodies.close()


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
