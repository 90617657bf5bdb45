"""A gate that notes how long it took."""

from collections.abc import Awaitable

from adapters.http.admission.gate import Gate
from adapters.http.requests.request import Request
from adapters.http.timing.stopwatch import Phase, timed
from domain.access.scopes import AccessScope


class TimedGate(Gate):
    """Admits as a gate does."""

    def admit(self, request: Request, needed: AccessScope | None) -> Awaitable[None]:
        """Admit a request, and note the time for which it waits."""
        return _timed(super().admit(request, needed))


async def _timed(admission: Awaitable[None]) -> None:
    with timed(Phase.ADMISSION):
        await admission
