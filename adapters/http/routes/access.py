"""The paths of keys and sessions."""

from typing import Any

from adapters.http.handlers.access import AccessHandlers
from adapters.http.openapi.declarations import Operation, Path, Reply, Schema
from adapters.http.openapi.examples import AT, TIME
from adapters.http.openapi.operation_parts import BODY, ID, KEYLESS_WRITE, PREFER
from adapters.http.openapi.schemas import TIME as TIMES
from adapters.http.openapi.schemas import field_type_schema, object_schema, ref
from adapters.serialization.times import timestamp
from domain.access.access_key import CredentialType
from domain.access.key_ring import FIELDS, SESSION_LASTS
from domain.access.key_text import KEY, LAST_SHOWN, make_key
from domain.access.scopes import AccessScope

_ID: Schema = {"type": "integer", "minimum": 1}
_SCOPE: Schema = ref("KeyScope")
_TIME_OR_NULL: Schema = {"anyOf": [TIMES, {"type": "null"}]}
_SHOWN = {
    "id": _ID,
    "name": {"type": "string"},
    "scope": _SCOPE,
    "last_four": {"type": "string", "description": "The last characters of the secret, to tell it by."},
    "created_at": TIMES,
    "expires_at": _TIME_OR_NULL,
    "last_used_at": {**_TIME_OR_NULL, "description": "To within a minute."},
    "revoked_at": _TIME_OR_NULL,
}
_SECRET: Schema = {"type": "string", "pattern": f"^{KEY.pattern}$", "description": "Shown this once."}
_SENT_OF_KEY = {
    **{each.name: field_type_schema(each.field_type, sent=True) for each in FIELDS},
    "expires_at": {"type": ["string", "null"], "format": "date-time"},
}
_SCHEMAS = {
    "KeyScope": {"type": "string", "enum": [each.value for each in AccessScope]},
    "Key": object_schema(_SHOWN, list(_SHOWN)),
    "KeyCreate": object_schema(_SENT_OF_KEY, [each.name for each in FIELDS if each.required]),
    "KeyCreated": object_schema({**_SHOWN, "key": _SECRET}, [*_SHOWN, "key"]),
    "KeyList": object_schema(
        {"keys": {"type": "array", "items": ref("Key")}, "count": {"type": "integer", "minimum": 0}},
        ["keys", "count"],
    ),
    "KeyRotate": object_schema(
        {
            "overlap": {
                "type": ["string", "null"],
                "pattern": "^[0-9]{1,6}[smh]$",
                "description": "0s to 24h, by default 24h.",
            }
        },
        [],
    ),
    "DeletedKey": object_schema({"deleted": ref("Key")}, ["deleted"]),
    "Session": object_schema(
        {
            "key": {"anyOf": [ref("SessionKey"), {"type": "null"}], "description": "Null while the service is open."},
            "scope": _SCOPE,
            "by": {"enum": [*(each.value for each in CredentialType), None]},
            "expires_at": _TIME_OR_NULL,
        },
        ["key", "scope", "by", "expires_at"],
    ),
    "SessionKey": object_schema({"id": _ID, "name": {"type": "string"}}, ["id", "name"]),
    "SessionCreate": object_schema({"key": {"type": "string"}}, ["key"]),
}
_SECRET_EXAMPLE = make_key(lambda alphabet: alphabet[0])
_SENT = {"name": "till 2", "scope": AccessScope.WRITE.value}
_EXAMPLE = {
    "id": 1,
    **_SENT,
    "last_four": _SECRET_EXAMPLE[-LAST_SHOWN:],
    "created_at": TIME,
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
}
_EXAMPLE_WITH_SECRET = {**_EXAMPLE, "key": _SECRET_EXAMPLE}
_EXAMPLE_GRANTED = {
    "key": {"id": 1, "name": _SENT["name"]},
    "scope": _SENT["scope"],
    "by": CredentialType.SESSION.value,
    "expires_at": timestamp(AT + SESSION_LASTS),
}
_APPLIED = ("Preference-Applied",)


def paths(handlers: AccessHandlers) -> list[Path]:
    """Return the paths of keys and sessions."""
    return [
        Path(template="/keys", operations={"GET": _list(handlers), "POST": _create(handlers)}, schemas=_SCHEMAS),
        Path(template="/keys/{id}", operations={"DELETE": _revoke(handlers)}),
        Path(template="/keys/{id}/rotate", operations={"POST": _rotate(handlers)}),
        Path(
            template="/session",
            operations={"GET": _who(handlers), "POST": _open(handlers), "DELETE": _close(handlers)},
        ),
    ]


def _admin(name: str, summary: str, **facts: Any) -> Operation:
    return Operation(name=name, summary=summary, scope=AccessScope.ADMIN, tags=("keys",), **facts)


def _list(handlers: AccessHandlers) -> Operation:
    listed = {"keys": [_EXAMPLE], "count": 1}
    shown = Reply(description="All of them, by ascending id.", schema=ref("KeyList"), example=listed)
    return _admin("listKeys", "List keys, also those that were revoked", handler=handlers.list, replies={200: shown})


def _create(handlers: AccessHandlers) -> Operation:
    return _admin(
        "createKey",
        "Make a key",
        handler=handlers.create,
        replies={
            201: Reply(
                description="With the key, this once.",
                schema=ref("KeyCreated"),
                example=_EXAMPLE_WITH_SECRET,
                headers=("Location", *_APPLIED),
            )
        },
        parameters=(PREFER,),
        takes=ref("KeyCreate"),
        example=_SENT,
        problems=(*BODY, *KEYLESS_WRITE, "too_many_keys"),
    )


def _revoke(handlers: AccessHandlers) -> Operation:
    revoked = {"deleted": {**_EXAMPLE, "revoked_at": TIME}}
    return _admin(
        "revokeKey",
        "Revoke a key, with its sessions; followers that it let in go within ten seconds",
        handler=handlers.revoke,
        replies={
            200: Reply(description="As it was left.", schema=ref("DeletedKey"), example=revoked, headers=_APPLIED)
        },
        parameters=(ID, PREFER),
        problems=("not_found", "invalid", "body_too_large", "timeout", *KEYLESS_WRITE, "last_admin_key"),
    )


def _rotate(handlers: AccessHandlers) -> Operation:
    return _admin(
        "rotateKey",
        "Give a key a new secret; the old one, and its sessions, hold for the overlap",
        handler=handlers.rotate,
        replies={
            200: Reply(
                description="With the new key, this once.",
                schema=ref("KeyCreated"),
                example=_EXAMPLE_WITH_SECRET,
                headers=_APPLIED,
            )
        },
        parameters=(ID, PREFER),
        takes=ref("KeyRotate"),
        example={"overlap": "1h"},
        problems=("not_found", *BODY, *KEYLESS_WRITE),
    )


def _who(handlers: AccessHandlers) -> Operation:
    return Operation(
        name="readSession",
        summary="Who asks, and what he may do",
        scope=AccessScope.READ,
        handler=handlers.session,
        replies={
            200: Reply(
                description="The key that was shown, itself or by a session.",
                schema=ref("Session"),
                example=_EXAMPLE_GRANTED,
            )
        },
        tags=("session",),
    )


def _open(handlers: AccessHandlers) -> Operation:
    return Operation(
        name="openSession",
        summary="Show a key once, and go on with a cookie",
        scope=None,
        handler=handlers.open_session,
        replies={
            200: Reply(
                description="What the session grants.",
                schema=ref("Session"),
                example=_EXAMPLE_GRANTED,
                headers=("Set-Cookie",),
            )
        },
        takes=ref("SessionCreate"),
        example={"key": _SECRET_EXAMPLE},
        problems=(*BODY, *KEYLESS_WRITE, "unauthorized"),
        tags=("session",),
    )


def _close(handlers: AccessHandlers) -> Operation:
    return Operation(
        name="closeSession",
        summary="End the session of this browser",
        scope=AccessScope.READ,
        handler=handlers.close_session,
        replies={204: Reply(description="It has ended.", headers=("Set-Cookie",))},
        problems=("body_too_large", "timeout", *KEYLESS_WRITE),
        tags=("session",),
    )
