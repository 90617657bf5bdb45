"""The metrics of a service in process."""

from collections.abc import Callable
from datetime import UTC, datetime

from adapters.http.handlers.metrics import Metrics
from adapters.metrics.exposition import Exposition
from adapters.metrics.recorder import Recorder
from adapters.shared_memory.numbers import SharedNumbers
from domain.ports import Store


def metrics_of(store: Store, refresh: Callable[[Recorder], None] = lambda _: None) -> Metrics:
    """Return the operation that shows the metrics of a store, after `refresh`."""
    numbers = SharedNumbers(rows=64)
    recorder = Recorder(numbers)
    exposition = Exposition(
        numbers=numbers,
        measure=store.measure,
        refresh=lambda: refresh(recorder),
        clock=lambda: datetime.now(UTC),
        build={"version": "1"},
    )
    return Metrics(exposition.text)
