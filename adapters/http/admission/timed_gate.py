"""A gate that notes how long it took."""

from adapters.http.admission.gate import Gate
from adapters.http.requests.request import Request
from adapters.http.timing.stopwatch import Phase, timed
from domain.access.scopes import AccessScope


class TimedGate(Gate):
    """Admits as a gate does."""

    async def admit(self, request: Request, needed: AccessScope | None) -> None:
        """Admit a request, and note the time."""
        with timed(Phase.ADMISSION):
            await super().admit(request, needed)
