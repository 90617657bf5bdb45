"""Signatures that the published library verifies."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from adapters.webhooks.signing import secret_of, sign

KEY = bytes(32)
FIRST, SECOND, THIRD = (secret_of(KEY, webhook=1, version=version) for version in (1, 2, 3))
BODY = '{"type":"task.created","data":{"title":"Größe ✓"}}'.encode()


def test_the_published_library_verifies_a_signature() -> None:
    """The library that endpoints use accepts our signatures."""
    secret = FIRST
    headers = sign(BODY, message_id="msg_1", at=datetime.now(UTC), secrets=[secret])
    expected = {"type": "task.created", "data": {"title": "Größe ✓"}}
    assert expected == Webhook(secret).verify(BODY, headers)


def test_a_signature_is_the_one_of_the_specification() -> None:
    """A message with a known secret, id and time has the headers that other implementations compute for it."""
    headers = sign(
        b'{"test": 2432232314}',
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    } == headers


def test_each_secret_signs_while_one_is_being_rotated() -> None:
    """An endpoint that knows only the old or only the new secret verifies the same headers; another one does not."""
    old, new = FIRST, SECOND
    headers = sign(BODY, message_id="msg_1", at=datetime.now(UTC), secrets=[new, old])
    assert 2 == len(headers["webhook-signature"].split(" "))
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(THIRD).verify(BODY, headers)


def test_the_zone_of_the_time_makes_no_difference() -> None:
    """The same moment in another zone is signed as the same moment."""
    at, secret = datetime.now(UTC), FIRST
    elsewhere = at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    expected = sign(BODY, message_id="msg_1", at=at, secrets=[secret])
    assert expected == sign(BODY, message_id="msg_1", at=elsewhere, secrets=[secret])


@pytest.mark.parametrize(
    ("message_id", "at", "secrets"),
    [
        ("msg_1", datetime.now(UTC), []),
        ("", datetime.now(UTC), [FIRST]),
        ("msg.1", datetime.now(UTC), [FIRST]),
        ("msg_1", datetime.now(UTC).replace(tzinfo=None), [FIRST]),
        ("msg_1", datetime.now(UTC), ["whsec_x"]),
    ],
)
def test_what_cannot_be_signed_safely_is_refused(message_id: str, at: datetime, secrets: list[str]) -> None:
    """A missing or broken secret, an id that could blur into the rest, and a time without a zone are errors."""
    with pytest.raises(ValueError):  # noqa: PT011 - which of the five it is shows in the parameters
        sign(BODY, message_id=message_id, at=at, secrets=secrets)


def test_a_secret_is_of_a_length_that_the_specification_allows() -> None:
    """A secret is `whsec_` and 24 to 64 bytes in base64."""
    assert "whsec_" == FIRST[:6]
    assert 24 <= len(base64.b64decode(FIRST.removeprefix("whsec_"), validate=True)) <= 64


def test_no_two_secrets_are_the_same() -> None:
    """Every webhook of every store has its own secrets, of which the same one is found again and again."""
    keys = (KEY, bytes(31) + b"\x01")
    cases = [(key, webhook, version) for key in keys for webhook in (1, 2, 11) for version in (1, 2, 11)]
    secrets = [secret_of(key, webhook=webhook, version=version) for key, webhook, version in cases]
    assert len(cases) == len(set(secrets))
    assert secrets == [secret_of(key, webhook=webhook, version=version) for key, webhook, version in cases]
