"""Serialization of outcomes stored for idempotency keys: as data, with the documents exactly as answered."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from adapters.serialization.times import timestamp
from domain import errors
from domain.decisions import Done, EarlierAnswer, Outcome, Result
from domain.stored_entity import StoredEntity

# A change of this form, or of its rendering by HTTP, needs the next number. The old form must stay readable, with the
# old rendering, while outcomes in it are kept: a day.
_FORM = b'{"form":1,'

_RESULTS: dict[str, type[Any]] = {
    each.__name__: each
    for each in (
        Done,
        errors.AlreadyExists,
        errors.InsufficientStock,
        errors.NotDeleted,
        errors.NotFound,
        errors.PreconditionFailed,
        errors.PreconditionRequired,
        errors.StockNotTracked,
        errors.ValidationFailed,
    )
}
"""The possible results of a command. Other errors are raised instead."""


def write_outcome(outcome: Outcome) -> bytes:
    """Return an outcome in its stored form."""
    return _FORM + orjson.dumps(_CONVERTER.unstructure(outcome))[1:]


def read_outcome(kept: bytes) -> Outcome | EarlierAnswer:
    """Return a stored outcome; one that an earlier version stored comes as an `EarlierAnswer`."""
    if not kept.startswith(_FORM):
        return EarlierAnswer(kept)
    outcome: Outcome = _CONVERTER.structure(orjson.loads(kept), Outcome)
    return outcome


def check_outcome(kept: bytes) -> None:
    """Raise `ValueError` unless a stored outcome can be read."""
    try:
        if isinstance(read_outcome(kept), bytes):  # a line with the head of an answer, and then its body
            orjson.loads(kept.partition(b"\n")[0])["headers"]
    except Exception as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _converter() -> Converter:
    converter = Converter(omit_if_default=True, forbid_extra_keys=False)
    converter.register_unstructure_hook(datetime, timestamp)
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    converter.register_structure_hook_func(lambda type_: type_ is object, lambda value, _: value)  # any value of JSON
    converter.register_unstructure_hook(StoredEntity, list)
    converter.register_structure_hook(StoredEntity, _stored)
    failed = make_dict_structure_fn(errors.PreconditionFailed, converter, current=override(struct_hook=_stored))
    converter.register_structure_hook(errors.PreconditionFailed, failed)
    converter.register_unstructure_hook(Result, _result_writer(converter))
    converter.register_structure_hook(Result, lambda raw, _: converter.structure(raw, _RESULTS[raw["result"]]))
    return converter


def _stored(values: list[Any], _: Any) -> StoredEntity:
    return StoredEntity(*values)


def _result_writer(converter: Converter) -> Callable[[Result], dict[str, Any]]:
    return lambda result: {"result": type(result).__name__, **converter.unstructure(result)}


_CONVERTER = _converter()
