"""The limit of requests that are worked on at once."""

from adapters.http.requests.request import Request

HEALTH = frozenset({"/healthz", "/readyz"})


def check_load(request: Request) -> None:
    """Count a request as worked on. Health checks always pass, because they matter most under load.

    A request counts no more once its response begins. The request context notes that. Raises `Overloaded`.
    """
    if request.path not in HEALTH:
        request.begin_work()
