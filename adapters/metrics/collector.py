"""The numbers as metric families, as prometheus-client writes them."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from attrs import frozen
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from adapters.metrics.families import (
    BUILD,
    CHANGES,
    ENABLED,
    FREE,
    LAG_CHANGES,
    LAG_SECONDS,
    OLDEST,
    SHARED,
    SIZE,
    UP,
    WAL,
    Family,
)
from domain.measurements import Backlog, Measurements

Values = Mapping[tuple[str, ...], list[float]]
"""The numbers of each series of a family, by its labels."""


@frozen(kw_only=True, eq=False)
class Moment(Collector):
    """What is known at one moment. `measured` is None when the store could not be read."""

    totals: Mapping[str, list[float]]
    measured: Measurements | None
    at: datetime
    build: Mapping[str, str]

    def collect(self) -> Iterator[Metric]:
        """Yield every family, also one without a series."""
        yield InfoMetricFamily(BUILD.name, BUILD.help, dict(self.build))
        for family in SHARED:
            yield _metric(family, dict(self._counted(family)))
        yield _metric(UP, {(): [float(self.measured is not None)]})
        if self.measured is not None:
            yield from self._log(self.measured)
            yield from _webhooks(self.measured.backlogs, self.at)
            yield from _room(self.measured)

    def _counted(self, family: Family) -> Iterator[tuple[tuple[str, ...], list[float]]]:
        for name, numbers in self.totals.items():
            of, *labels = name.split("\t")
            if of == family.name:
                yield tuple(labels), numbers

    def _log(self, found: Measurements) -> Iterator[Metric]:
        yield _metric(CHANGES, {(): [found.newest]})
        age = 0.0 if found.oldest_at is None else (self.at - found.oldest_at).total_seconds()
        yield _metric(OLDEST, {(): [age]})


def _webhooks(backlogs: tuple[Backlog, ...], at: datetime) -> Iterator[Metric]:
    ids = [(str(each.webhook),) for each in backlogs]
    seconds = [0.0 if each.since is None else max(0.0, (at - each.since).total_seconds()) for each in backlogs]
    yield _metric(LAG_CHANGES, {id: [each.changes] for id, each in zip(ids, backlogs, strict=True)})
    yield _metric(LAG_SECONDS, {id: [each] for id, each in zip(ids, seconds, strict=True)})
    yield _metric(ENABLED, {id: [float(each.enabled)] for id, each in zip(ids, backlogs, strict=True)})


def _room(found: Measurements) -> Iterator[Metric]:
    for family, value in ((SIZE, found.size), (WAL, found.wal), (FREE, found.free)):
        yield _metric(family, {} if value is None else {(): [value]})


def _metric(family: Family, values: Values) -> Metric:
    if family.kind == "histogram":
        return _histogram(family, values)
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels, unit=family.unit)
    for labels, numbers in values.items():
        metric.add_metric(labels, numbers[0])
    return metric


def _histogram(family: Family, values: Values) -> HistogramMetricFamily:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels, unit=family.unit)
    names = [*map(floatToGoString, family.bounds), "+Inf"]
    for labels, numbers in values.items():
        below, buckets = 0.0, []
        for name, count in zip(names, numbers[1:], strict=False):
            below += count
            buckets.append((name, below))
        metric.add_metric(labels, buckets, sum_value=numbers[0])
    return metric
