"""Serialization of changes."""

import orjson

from adapters.serialization.times import timestamp
from domain.changes import Entry


def change_document(entry: Entry) -> str:
    """Return the document of a change."""
    change, actor = entry.change, entry.change.actor
    head = orjson.dumps(
        {
            "cursor": entry.cursor,
            "type": change.type,
            "id": change.id,
            "version": change.version,
            "at": timestamp(change.at),
            "request_id": change.request_id,
            "actor": actor and {"key": actor.key, "name": actor.name},
            "changed": list(change.changed),
            **({} if change.reason is None else {"reason": change.reason}),
        }
    ).decode()
    return f'{head[:-1]},"data":{change.record.document}}}'
