"""Whether the store accepts writes. A trial write finds out."""

import asyncio

from attrs import define, field

from domain.errors import DomainError, Unavailable
from domain.ports import Store

PROBE_EVERY_S = 1.0
"""Seconds for which a result is valid. Callers within that time share one write."""


@define(eq=False)
class Readiness:
    """Probes the store, once for all callers together."""

    store: Store

    _probe: "asyncio.Task[str | None] | None" = field(default=None, init=False)
    _begun: float = field(default=0.0, init=False)

    async def check(self) -> None:
        """Return if a write succeeds. Raises `Unavailable` otherwise."""
        now = asyncio.get_running_loop().time()
        if self._probe is None or (self._probe.done() and now - self._begun >= PROBE_EVERY_S):
            self._probe, self._begun = asyncio.create_task(self._hindrance()), now
        hindrance = await asyncio.shield(self._probe)  # others wait for the same probe
        if hindrance is not None:
            raise Unavailable(hindrance)

    async def _hindrance(self) -> str | None:
        try:
            await self.store.ping()
        except DomainError as error:
            return error.message
        return None
