"""Serialization of deliveries to webhooks and of their messages."""

from typing import Any

from adapters.serialization.changes import change_document
from adapters.serialization.times import timestamp
from domain.changes import Entry
from domain.deliveries import Delivery


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as a document, not yet JSON text."""
    due = delivery.next_attempt_at
    return {
        "id": delivery.id,
        "message_id": delivery.message_id,
        "type": delivery.type,
        "status": delivery.status.value,
        "attempts": [
            {"at": timestamp(each.at), "status": each.status, "error": each.error, "duration_ms": each.duration_ms}
            for each in delivery.attempts
        ],
        "next_attempt_at": None if due is None else timestamp(due),
    }


def payload(delivery: Delivery, entry: Entry | None) -> bytes:
    """Return the body of a message to a webhook; without an entry, the body of a test message."""
    at = delivery.at if entry is None else entry.change.at
    data = f'{{"webhook":{delivery.webhook}}}' if entry is None else change_document(entry)
    return f'{{"type":"{delivery.type}","timestamp":"{timestamp(at)}","data":{data}}}'.encode()
