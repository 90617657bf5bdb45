"""Settings, from the environment and from the flags of the command line. One error names all bad values."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import attrs
from attrs import frozen

from domain.access.rate_limit import Quota

PREFIX = "BACKROOM_"
KEY = f"{PREFIX}KEY"
"""The variable with the key of a client, such as `backroom mcp`. It is no setting of the service."""

_BOOLEANS = {**dict.fromkeys(("1", "true", "yes", "on"), True), **dict.fromkeys(("0", "false", "no", "off"), False)}
_WINDOWS = {"second": 1, "minute": 60, "hour": 3600}
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class BadSettings(Exception):
    """One or more settings cannot be used; the message names each."""


def boolean(text: str) -> bool:
    """Read 1 true yes on, or 0 false no off."""
    if text.lower() not in _BOOLEANS:
        raise ValueError("must be one of 1 true yes on 0 false no off")
    return _BOOLEANS[text.lower()]


def duration(text: str) -> timedelta:
    """Read a duration such as 500ms, 90s, 15m, 24h or 30d."""
    found = re.fullmatch(r"([0-9]{1,6})(ms|[smhd])", text)
    if found is None:
        raise ValueError("must be a duration such as 500ms, 90s, 15m, 24h or 30d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def listed(is_good: Callable[[str], bool], what: str) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of values that are separated by commas; each must be good."""

    def read(text: str) -> tuple[str, ...]:
        values = tuple(each.strip() for each in text.split(",") if each.strip())
        if not all(map(is_good, values)):
            raise ValueError(f"must be {what}, separated by commas")
        return values

    return read


def is_origin(text: str) -> bool:
    """Tell whether `text` is an origin as browsers write one, or the star for all."""
    return (
        text == "*"
        or re.fullmatch(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", text) is not None
    )


def is_host(text: str) -> bool:
    """Tell whether `text` is a name or an address, without a port."""
    return re.fullmatch(r"[A-Za-z0-9._-]+", text) is not None or (":" in text and is_network(text))


def is_proxy(text: str) -> bool:
    """Tell whether `text` is an address or a network, or the star for all."""
    return text == "*" or is_network(text)


def is_network(text: str) -> bool:
    """Tell whether `text` is an IP address, or a network such as 10.0.0.0/8."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers in a range."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def rate(text: str) -> Quota:
    """Read how often, such as 100/second."""
    found = re.fullmatch(r"([0-9]{1,9})/(second|minute|hour)", text)
    if found is None or int(found[1]) == 0:
        raise ValueError("must be a rate such as 100/second, 100/minute or 100/hour")
    return Quota(int(found[1]), _WINDOWS[found[2]])


def store(text: str) -> str:
    """Read the URL of a store; the adapter reads the part after the scheme."""
    if text != "memory://" and not re.match(r"(sqlite:///.|postgres(ql)?://.)", text):
        raise ValueError("must be memory://, sqlite:///PATH or postgresql://…")
    return text


def address(text: str) -> tuple[str, int]:
    """Read an address to listen on, with its port, such as 127.0.0.1:9100 or [::1]:9100."""
    found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})", text)
    if found is None or int(found[3]) > 65535:
        raise ValueError("must be an address with its port, such as 127.0.0.1:9100")
    return found[1] or found[2], int(found[3])


def log_format(text: str) -> str:
    """Read the format of the log."""
    if text not in ("text", "json"):
        raise ValueError("must be text or json")
    return text


def _setting(default: Any, read: Callable[[str], Any], help: str, *, secret: bool = False) -> Any:
    return attrs.field(default=default, metadata={"read": read, "help": help, "secret": secret})


@frozen(kw_only=True)
class Settings:
    """The settings. Each is the variable BACKROOM_<NAME>, and the flag of the same name of `backroom serve`."""

    store: str = _setting(
        "sqlite:///data/backroom.db",
        store,
        "where the data is kept: memory://, sqlite:///PATH or postgresql://…",
        secret=True,
    )
    host: str = _setting("127.0.0.1", str, "address to listen on")
    port: int = _setting(8000, whole(0, 65535), "port to listen on; 0 takes a free one")
    workers: int = _setting(1, whole(1, 64), "number of processes")
    demo: bool = _setting(False, boolean, "an empty store starts with three products")
    open: bool = _setting(False, boolean, "allow an address that others can reach, without keys")
    require_if_match: bool = _setting(False, boolean, "refuse changes that do not name a version")
    max_body: int = _setting(1_048_576, whole(1024, 1 << 30), "the largest body, in bytes")
    rate_limit: Quota | None = _setting(
        None, rate, "how often a key, or an address without one, may ask, such as 100/second"
    )
    cors_origins: tuple[str, ...] = _setting(
        (),
        listed(is_origin, "origins such as https://shop.example, or *"),
        "origins whose pages may call, separated by commas",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        (),
        listed(is_host, "names or addresses without a port"),
        "hosts to answer for; default: loopback names on loopback",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (), listed(is_proxy, "addresses or networks, or *"), "proxies whose X-Forwarded-* are believed"
    )
    changes_kept: timedelta = _setting(
        timedelta(days=30), duration, "how long changes are kept, such as 15m, 24h or 30d, the default"
    )
    webhooks_allow_private: bool = _setting(False, boolean, "let webhooks have addresses that are not public")
    todo_backend: bool = _setting(False, boolean, "serve /todos by the rules of Todo-Backend, on the same tasks")
    log: str = _setting("text", log_format, "text or json")
    slow: timedelta | None = _setting(
        None, duration, "requests that take so long are logged with where their time went, such as 500ms"
    )
    metrics: tuple[str, int] | None = _setting(
        None, address, "where /metrics is served without a key, such as 127.0.0.1:9100"
    )

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach the service."""
        return self.host in LOOPBACK or self.host.startswith("127.")

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts to answer for; none means any."""
        if self.allowed_hosts:
            return self.allowed_hosts
        return (*LOOPBACK, self.host) if self.is_loopback else ()


def load(environment: Mapping[str, str], flags: Mapping[str, str | None]) -> Settings:
    """Return the settings. A flag overrides its variable, and an empty value counts as unset. Raises `BadSettings`."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in attrs.fields(Settings):
        variable = PREFIX + field.name.upper()
        flag = flags.get(field.name)
        name, text = (f"--{flag_name(field.name)}", flag) if flag is not None else (variable, environment.get(variable))
        if not text:
            continue
        try:
            values[field.name] = field.metadata["read"](text)
        except ValueError as error:
            faults.append(f"{name} {error}" if field.metadata["secret"] else f"{name} {error}, not {text!r}")
    settings = Settings(**values)
    if not faults:
        faults += _contradictions(settings)
    if faults:
        raise BadSettings("; ".join(faults))
    return settings


def unknown(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that look like settings, but are none."""
    known = {KEY, *(PREFIX + field.name.upper() for field in attrs.fields(Settings))}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def sources(environment: Mapping[str, str]) -> dict[str, str]:
    """Return where the value of each setting comes from: its variable, or the default."""
    variables = {field.name: PREFIX + field.name.upper() for field in attrs.fields(Settings)}
    return {name: variable if environment.get(variable) else "default" for name, variable in variables.items()}


def written(settings: Settings) -> dict[str, str]:
    """Return the value of each setting as it would be written."""
    return {name: _written(value) for name, value in attrs.asdict(settings, recurse=False).items()}


def _written(value: object) -> str:
    match value:
        case None | ():
            return "none"
        case bool():
            return "on" if value else "off"
        case timedelta():
            longest = next(unit for unit in reversed(_UNITS) if not value % timedelta(**{_UNITS[unit]: 1}))
            return f"{value // timedelta(**{_UNITS[longest]: 1})}{longest}"
        case Quota():
            return f"{value.amount}/{next(name for name, seconds in _WINDOWS.items() if seconds == value.window)}"
        case (str(host), int(port)):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def flag_name(name: str) -> str:
    """Return the name of a setting on the command line."""
    return name.replace("_", "-")


def _contradictions(settings: Settings) -> list[str]:
    faults = []
    if settings.store == "memory://" and settings.workers > 1:
        faults.append("memory:// cannot be shared: --workers must be 1")
    return faults
