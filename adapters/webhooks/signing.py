"""Signing of messages by the symmetric scheme of Standard Webhooks (standardwebhooks.com, version 1.0.0)."""

import base64
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook


def secret_of(key: bytes, *, webhook: int, version: int) -> str:
    """Return a secret of a webhook for its owner: `whsec_` and 32 bytes in base64 (24 to 64 are allowed).

    The secret is derived from the store's `key`, which never leaves the store. So no table of secrets can be shown,
    logged or copied by mistake. Without the key, the secret looks random.
    """
    derived = hmac.digest(key, f"webhook {webhook} secret {version}".encode(), "sha256")
    return f"whsec_{base64.b64encode(derived).decode('ascii')}"


def sign(body: bytes, *, message_id: str, at: datetime, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers that let an endpoint verify `body`, which is UTF-8 and must be sent exactly as it is.

    `message_id` is the same for every attempt at a message; `at` is the time of the attempt, in any zone. Each of
    `secrets` signs, so during a rotation an endpoint can verify with either.

    Raises:
        ValueError: there is no secret or one is not base64, the id is empty or holds a full stop (which would let one
            message be read as another), or `at` has no zone.
    """
    if not secrets:
        raise ValueError("a message needs a secret to be signed with")
    if not message_id or "." in message_id:
        raise ValueError("a message id must not be empty and must not hold a full stop")
    if at.tzinfo is None:
        raise ValueError("the time of an attempt needs a zone")
    at = at.astimezone(UTC)  # the library takes the digits of any zone for UTC
    text = body.decode("utf-8")
    signatures = (Webhook(secret).sign(msg_id=message_id, timestamp=at, data=text) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
