"""Settings as they are shown."""

import pytest
from attrs import fields

from entrypoints.settings import PREFIX, Settings, load, sources, written

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
