"""Sending one message over HTTP/1.1, only to a vetted address.

This uses the transport of httpx2, below its client. Only the client handles redirects, cookies, proxies, credentials,
decompression and environment variables, so there is nothing to switch off here.
"""

import asyncio
import contextlib
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from time import perf_counter

import httpx2
from attrs import field, frozen

from adapters.webhooks.addresses import (
    Address,
    AddressRefused,
    AddressUnresolved,
    Resolve,
    look_up,
    vet,
)
from adapters.webhooks.retry_after import retry_after
from domain.deliveries import SendResult
from domain.urls import check_url

TIMEOUT = 20.0  # seconds in all: resolving, connecting, sending and the answer
CONNECT_TIMEOUT = 5.0  # seconds for each address, so that a silent one leaves time for the next
MAX_ANSWER = 65_536  # bytes of a response body to read before closing the connection
USER_AGENT = "backroom"

_DEFAULT_PORTS = {"http": 80, "https": 443}


def _system_tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context(trust_env=False)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@frozen(kw_only=True)
class Sender:
    """Sends messages to endpoints on the Internet or, with `allow_private`, to any address.

    `resolve`, `tls`, `timeout` (seconds for one attempt) and `now` are the outside world.
    """

    allow_private: bool
    resolve: Resolve = look_up
    tls: ssl.SSLContext = field(factory=_system_tls)
    timeout: float = TIMEOUT
    now: Callable[[], datetime] = _utc_now

    async def vet(self, url: str) -> tuple[Address, ...]:
        """Return the addresses that a message to `url` would go to. Raises `AddressRefused` and `AddressUnresolved`."""
        return await self._vet(_parse(url))

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> SendResult:
        """POST `body` to `url` and return the result. A network failure is a result, too.

        The result is the status. Once it has arrived, a late, broken or endless body changes nothing.
        """
        started = perf_counter()
        deadline = asyncio.get_running_loop().time() + self.timeout
        try:
            # Each message has its own transport. A shared one keeps connections by address alone. It would send to one
            # host over a connection whose certificate was verified for another.
            async with httpx2.AsyncHTTPTransport(verify=self.tls, trust_env=False) as transport:
                async with asyncio.timeout_at(deadline):
                    answer = await self._post(transport, _parse(url), headers, body)
                await _drain(answer, deadline)
        except (AddressRefused, AddressUnresolved, httpx2.HTTPError, OSError) as error:
            return SendResult(error=_explain(error), duration_ms=_milliseconds_since(started))
        wait = retry_after(answer.headers.get("retry-after", ""), now=self.now())
        return SendResult(status=answer.status_code, retry_after=wait, duration_ms=_milliseconds_since(started))

    async def _vet(self, url: httpx2.URL) -> tuple[Address, ...]:
        port = url.port or _DEFAULT_PORTS[url.scheme]
        return await vet(_host(url), port, allow_private=self.allow_private, resolve=self.resolve)

    async def _post(
        self, transport: httpx2.AsyncHTTPTransport, url: httpx2.URL, headers: Mapping[str, str], body: bytes
    ) -> httpx2.Response:
        *others, last = (_request(url, address, headers, body) for address in await self._vet(url))
        for request in others:
            # Without a connection nothing was sent, so the next address may be tried.
            with contextlib.suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
                return await transport.handle_async_request(request)
        return await transport.handle_async_request(last)


def _parse(url: str) -> httpx2.URL:
    if reason := check_url(url):
        raise AddressRefused(reason)
    return httpx2.URL(url)


def _host(url: httpx2.URL) -> str:
    return url.raw_host.decode("ascii")  # `url.host` would turn xn-- back into Unicode


def _request(url: httpx2.URL, address: Address, headers: Mapping[str, str], body: bytes) -> httpx2.Request:
    """Return a request to `address` whose Host field and TLS name are those of the URL's host."""
    fields = httpx2.Headers({"user-agent": USER_AGENT})
    fields.update(headers)
    fields.update({"host": url.netloc.decode("ascii"), "connection": "close"})
    return httpx2.Request(
        "POST",
        url.copy_with(host=str(address.ip)),
        headers=fields,
        content=body,
        extensions={"sni_hostname": _host(url), "timeout": {"connect": CONNECT_TIMEOUT}},
    )


async def _drain(answer: httpx2.Response, deadline: float) -> None:
    """Read a short body to its end, because closing with unread bytes resets the endpoint's connection."""
    with contextlib.suppress(httpx2.HTTPError, OSError):
        async with asyncio.timeout_at(deadline), contextlib.aclosing(answer.aiter_raw()) as chunks:
            async for _ in chunks:
                if answer.num_bytes_downloaded >= MAX_ANSWER:
                    break


def _milliseconds_since(started: float) -> int:
    return round((perf_counter() - started) * 1000)


def _explain(error: Exception) -> str:
    match error:
        case AddressRefused():
            return f"the URL {error.reason}"
        case AddressUnresolved():
            return "the host name could not be resolved"
        case httpx2.TimeoutException() | TimeoutError():
            return "there was no answer in time"
        case httpx2.ProtocolError():
            return "there was no valid HTTP answer"
    return next(filter(None, map(_explain_cause, _causes(error))), "the connection broke")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__  # httpcore2 clears the cause


def _explain_cause(error: BaseException) -> str | None:
    match error:
        case ssl.SSLCertVerificationError():
            return f"the certificate was refused: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {error.reason}"
        case OSError(errno=int(number)):
            return f"the connection failed: {os.strerror(number)}"
    return None
