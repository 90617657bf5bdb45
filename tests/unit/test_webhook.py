"""Webhooks: what is derived, and their own commands."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from domain.commands import Create, Edit, Precondition
from domain.errors import NotFound, PreconditionFailed, ValidationFailed
from domain.public_types import CHANGE_TYPES
from domain.state import State
from domain.webhook import ROTATION, WEBHOOK, Disable, RequireExists, Rotate, Webhook
from tests.builders import LATER, NOON, create, webhook

STALE = Precondition(frozenset({7}))


def test_a_new_webhook() -> None:
    """It is enabled for every type, and its first secret is in force."""
    made = create(WEBHOOK).decide(State.of(next_id=1), NOON)
    assert webhook(types=(), enabled=True, description="", disabled_reason=None, rotated_at=None) == made


@pytest.mark.parametrize("types", [["task.created"], list(CHANGE_TYPES), []])
def test_types(types: list[str]) -> None:
    """Any of the types of changes that are published can be asked for."""
    assert tuple(types) == create(WEBHOOK, types=types).values["types"]


@pytest.mark.parametrize("types", [["webhook.created"], ["webhook.test"], ["task"], ["task.created", "task.created"]])
def test_no_types(types: list[str]) -> None:
    """Changes of webhooks cannot be subscribed to, and no type can be named twice."""
    with pytest.raises(ValidationFailed):
        create(WEBHOOK, types=types)


@pytest.mark.parametrize("name", ["secret", "cursor"])
def test_what_is_no_part_of_a_webhook(name: str) -> None:
    """No field holds the secret, or how far it has been delivered."""
    assert name not in WEBHOOK.by_name
    with pytest.raises(ValidationFailed):
        Create.parse(WEBHOOK, {"url": "https://example.com/", name: "x"})


def test_disabling() -> None:
    """A webhook that is disabled for a reason says so, until it is enabled again."""
    disabled = Disable(id=1, reason="gone").decide(State.of(webhook()), LATER)
    assert webhook(version=2, updated_at=LATER, enabled=False, disabled_reason="gone") == disabled
    enabled = Edit.parse(WEBHOOK, 1, {"enabled": True}).decide(State.of(disabled), LATER)
    assert webhook(version=3, updated_at=LATER) == enabled


def test_an_owner_needs_no_reason() -> None:
    """Disabling a webhook by hand sets no reason, and other edits leave the reason alone."""
    assert Edit.parse(WEBHOOK, 1, {"enabled": False}).decide(State.of(webhook()), LATER).disabled_reason is None
    disabled = webhook(enabled=False, disabled_reason="gone")
    edited = Edit.parse(WEBHOOK, 1, {"description": "x", "enabled": False}).decide(State.of(disabled), LATER)
    assert evolve(disabled, version=2, updated_at=LATER, description="x") == edited


def test_what_is_disabled_keeps_its_reason() -> None:
    """Disabling what is disabled already changes nothing."""
    disabled = webhook(enabled=False)
    assert disabled is Disable(id=1, reason="gone").decide(State.of(disabled), LATER)


def test_rotation() -> None:
    """The old secret signs beside the new one for exactly as long as is promised, the new one first."""
    rotated = Rotate(id=1).decide(State.of(webhook(secret_version=4)), LATER)
    assert webhook(version=2, updated_at=LATER, secret_version=5, rotated_at=LATER) == rotated
    end = LATER + ROTATION
    assert (5, 4) == rotated.signing_secrets(LATER) == rotated.signing_secrets(end - timedelta(microseconds=1))
    assert (5,) == rotated.signing_secrets(end)
    assert (1,) == webhook().signing_secrets(NOON)


def test_attending_changes_nothing() -> None:
    """The very same webhook stands."""
    current = webhook()
    assert current is RequireExists(id=1).decide(State.of(current), LATER)


@pytest.mark.parametrize("command", [Rotate(id=1), Disable(id=1, reason="gone"), RequireExists(id=1)])
def test_no_webhook(command: Any) -> None:
    """An unknown webhook is not found."""
    with pytest.raises(NotFound, match=r"^Webhook not found$"):
        command.decide(State.of(next_id=1), LATER)


@pytest.mark.parametrize("command", [Rotate(id=1, precondition=STALE), Disable(id=1, reason="x", precondition=STALE)])
@pytest.mark.parametrize("current", [webhook(), webhook(enabled=False)])
def test_preconditions(command: Any, current: Webhook) -> None:
    """A webhook that somebody changed meanwhile is left alone."""
    with pytest.raises(PreconditionFailed):
        command.decide(State.of(current), LATER)


def test_an_enabled_webhook_has_no_reason_to_be_disabled() -> None:
    """The two contradict each other."""
    with pytest.raises(ValidationFailed, match=r"^disabled_reason must not be there while the webhook is enabled$"):
        webhook(enabled=True, disabled_reason="gone")


def test_rotating_and_disabling() -> None:
    """Both are versions; one that is disabled already stays as it is."""
    rotated = webhook().rotate(at=LATER)
    assert (2, 2, LATER) == (rotated.version, rotated.secret_version, rotated.rotated_at)
    disabled = webhook().disable("gone", at=LATER)
    assert (2, False, "gone") == (disabled.version, disabled.enabled, disabled.disabled_reason)
    assert disabled is disabled.disable("gone again", at=LATER)
