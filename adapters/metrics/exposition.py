"""The text that Prometheus reads. However many ask, it is made once a second at most."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from time import monotonic

from attrs import define, field
from prometheus_client.exposition import choose_encoder

from adapters.metrics.collector import Moment
from adapters.metrics.recorder import Numbers
from domain.errors import DomainError
from domain.measurements import Measurements

FRESH_S = 1.0
"""For how long a text is given to others who ask."""

TIMEOUT_S = 3.0
"""How long the store may take to be measured. Prometheus gives up after ten seconds."""

TEXT, OPENMETRICS = "text/plain", "application/openmetrics-text"
VERSIONS = {TEXT: "0.0.4", OPENMETRICS: "1.0.0"}

_log = logging.getLogger("backroom")

Text = tuple[bytes, str]
"""The text with its content type."""


@define(eq=False, kw_only=True)
class Exposition:
    """Writes the numbers of all workers, and what the store says when it is asked.

    `refresh` brings this worker's own numbers up to date. `build` says which program this is.
    """

    numbers: Numbers
    measure: Callable[[], Awaitable[Measurements]]
    refresh: Callable[[], None]
    clock: Callable[[], datetime]
    build: Mapping[str, str]

    _made: dict[str, tuple[float, "asyncio.Future[Text]"]] = field(factory=dict, init=False)

    async def text(self, media_type: str) -> Text:
        """Return the text as `TEXT` or `OPENMETRICS`."""
        began, making = self._made.get(media_type, (float("-inf"), None))
        if making is None or (making.done() and monotonic() - began > FRESH_S):
            making = asyncio.ensure_future(self._make(media_type))
            self._made[media_type] = monotonic(), making
        return await asyncio.shield(making)

    async def _make(self, media_type: str) -> Text:
        measured = await self._measured()
        self.refresh()
        moment = Moment(totals=self.numbers.total(), measured=measured, at=self.clock(), build=self.build)
        encode, content_type = choose_encoder(f"{media_type};version={VERSIONS[media_type]}")
        return await asyncio.to_thread(encode, moment), content_type  # tens of milliseconds, if there are many series

    async def _measured(self) -> Measurements | None:
        """Measure the store. If that fails, the metric that says so is worth more than an error."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self.measure()
        except (DomainError, TimeoutError):
            return None
        except Exception:  # noqa: BLE001 - logged, and the other metrics are still answered
            _log.exception("measuring the store failed")
            return None
