"""Settings: what each reads, what none takes, and which counts."""

import re
from datetime import timedelta
from typing import Any

import attrs
import pytest
from attrs import fields

from domain.access.rate_limit import Quota
from entrypoints.settings import PREFIX, BadSettings, Settings, load, sources, unknown, written

GOOD: list[tuple[str, str, Any]] = [
    ("store", "memory://", "memory://"),
    ("store", "sqlite:////var/lib/backroom.db", "sqlite:////var/lib/backroom.db"),
    ("store", "postgresql://host/backroom", "postgresql://host/backroom"),
    ("port", "0", 0),
    ("port", "65535", 65535),
    ("workers", "64", 64),
    ("demo", "YES", True),
    ("demo", "on", True),
    ("demo", "1", True),
    ("demo", "true", True),
    ("demo", "off", False),
    ("demo", "no", False),
    ("demo", "0", False),
    ("demo", "False", False),
    ("max_body", "1024", 1024),
    ("cors_origins", "https://a.example:8443, http://[::1]:80,*", ("https://a.example:8443", "http://[::1]:80", "*")),
    ("allowed_hosts", "Shop.example,192.0.2.1,::1,", ("Shop.example", "192.0.2.1", "::1")),
    ("trusted_proxies", "192.0.2.1,10.0.0.0/8,::1,*", ("192.0.2.1", "10.0.0.0/8", "::1", "*")),
    ("changes_kept", "90s", timedelta(seconds=90)),
    ("changes_kept", "15m", timedelta(minutes=15)),
    ("changes_kept", "24h", timedelta(days=1)),
    ("changes_kept", "30d", timedelta(days=30)),
    ("rate_limit", "100/second", Quota(100, 1)),
    ("rate_limit", "5/minute", Quota(5, 60)),
    ("rate_limit", "1/hour", Quota(1, 3600)),
    ("changes_kept", "500ms", timedelta(milliseconds=500)),
    ("metrics", "127.0.0.1:9100", ("127.0.0.1", 9100)),
    ("metrics", "[::1]:0", ("::1", 0)),
    ("metrics", "shop-1.example:65535", ("shop-1.example", 65535)),
    ("log", "json", "json"),
]
BAD = [
    *(("store", text) for text in ("mysql://x", "sqlite://", "sqlite:///", "postgresql://", "memory://x", "data.db")),
    *(("port", text) for text in ("http", "-1", "65536", "8000.0", "٣", "1e3", " 1")),
    *(("workers", text) for text in ("0", "65")),
    *(("max_body", text) for text in ("1023", "1073741825")),
    *(("demo", text) for text in ("maybe", "2", "y")),
    *(("cors_origins", text) for text in ("shop.example", "https://shop.example/", "https://a.example,b", "HTTPS://A")),
    *(("allowed_hosts", text) for text in ("shop.example:80", "http://shop.example", "a b", "[::1]", "*", "::1:x")),
    *(("trusted_proxies", text) for text in ("proxy", "10.0.0.1/8", "192.0.2.1:80")),
    *(("changes_kept", text) for text in ("30", "3x", "-1d", "1.5h", "9999999d", "d")),
    *(("rate_limit", text) for text in ("100", "0/second", "100/day", "1.5/second", "-1/second", "100 / second")),
    *(("changes_kept", text) for text in ("500MS", "1.5ms", "ms")),
    *(
        ("metrics", text)
        for text in ("9100", ":9100", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:9100", "a/b:1")
    ),
    *(("log", text) for text in ("xml", "JSON")),
]


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_good(name: str, text: str, value: Any) -> None:
    """A good value means the same in a variable as in a flag."""
    assert value == getattr(load({f"BACKROOM_{name.upper()}": text}, {}), name)
    assert value == getattr(load({}, {name: text}), name)


@pytest.mark.parametrize(("name", "text"), BAD)
def test_bad(name: str, text: str) -> None:
    """A bad value is refused by the name of its variable or its flag, and quoted unless it may hold a password."""
    quoted = "" if name == "store" else re.escape(f", not {text!r}")
    with pytest.raises(BadSettings, match=rf"^BACKROOM_{name.upper()} must be [^']*{quoted}$"):
        load({f"BACKROOM_{name.upper()}": text}, {})
    with pytest.raises(BadSettings, match=rf"^--{name.replace('_', '-')} must be "):
        load({}, {name: text})


def test_every_bad_value_is_named() -> None:
    """One line names all bad values."""
    bad = {f"BACKROOM_{name.upper()}": text for name, text in BAD}

    with pytest.raises(BadSettings) as told:
        load(bad, {})

    assert all(name in str(told.value) for name in bad)
    assert "\n" not in str(told.value)


def test_defaults() -> None:
    """A setting that is not set, or empty, has its default."""
    assert Settings() == load({f"BACKROOM_{each.name.upper()}": "" for each in attrs.fields(Settings)}, {"port": None})


def test_flag_counts_before_its_variable() -> None:
    """A flag hides its variable, even a bad one."""
    assert 1 == load({"BACKROOM_PORT": "x"}, {"port": "1"}).port


@pytest.mark.parametrize(
    ("settings", "hosts"),
    [
        ({}, ("127.0.0.1", "::1", "localhost", "127.0.0.1")),
        ({"host": "127.0.0.7"}, ("127.0.0.1", "::1", "localhost", "127.0.0.7")),
        ({"host": "0.0.0.0"}, ()),
        ({"host": "0.0.0.0", "allowed_hosts": ("a.example",)}, ("a.example",)),
        ({"allowed_hosts": ("a.example",)}, ("a.example",)),
    ],
)
def test_hosts(settings: dict[str, Any], hosts: tuple[str, ...]) -> None:
    """The service answers for loopback names on a loopback address, for any name elsewhere, unless names are set."""
    assert hosts == Settings(**settings).hosts


@pytest.mark.parametrize("settings", [{"store": "memory://", "workers": "2"}])
def test_contradictions(settings: dict[str, str]) -> None:
    """Values that are good by themselves can be refused together."""
    with pytest.raises(BadSettings):
        load({}, settings)


def test_open_allows_any_address() -> None:
    """An address that others can reach is taken where that is meant."""
    assert "0.0.0.0" == load({}, {"host": "0.0.0.0", "open": "1"}).host


def test_unknown() -> None:
    """A variable that only looks like a setting is found."""
    assert ["BACKROOM_STROE"] == unknown({"BACKROOM_STROE": "x", "BACKROOM_STORE": "x", "PATH": "x"})


GIVEN = {
    "STORE": "memory://",
    "DEMO": "1",
    "RATE_LIMIT": "100/hour",
    "CORS_ORIGINS": "https://a.example,https://b.example",
    "CHANGES_KEPT": "90m",
    "METRICS": "[::1]:9100",
    "PORT": "8001",
}


@pytest.mark.parametrize("given", [{}, {PREFIX + name: text for name, text in GIVEN.items()}])
def test_what_is_shown_can_be_read(given: dict[str, str]) -> None:
    """A value as it is shown means the same again; "none" is shown for what is not set."""
    settings = load(given, {})
    shown = {PREFIX + name.upper(): text for name, text in written(settings).items() if text != "none"}
    assert settings == load(shown, {})


def test_sources() -> None:
    """Each setting comes from its variable, if that has a value."""
    found = sources({f"{PREFIX}PORT": "8001", f"{PREFIX}HOST": ""})
    assert {f"{PREFIX}PORT"} == set(found.values()) - {"default"}
    assert [each.name for each in fields(Settings)] == list(found)
