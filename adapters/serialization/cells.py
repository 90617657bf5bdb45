"""Reading the cells of tables: the values that texts stand for, in the form of JSON."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from domain.field_types import Boolean, Date, EnumField, FieldType, Integer, ListOf, Money, Timestamp, ValidationError
from domain.parsing import from_json

DECIMAL_SIGNS = (".", ",")

_WHOLE = re.compile(r"-?[0-9]+", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_MAX_DIGITS = 18


class CellParser:
    """Reads a cell as the value of a field type: what `tables.py` writes, and amounts with another decimal sign.

    Spaces around anything but text do not count. A number has no signs between thousands, because 1.234 would be read
    in two ways.
    """

    def __init__(self, decimal: str = ".") -> None:
        sign = re.escape(decimal)
        self._decimal = decimal
        self._amount = re.compile(f"-?[0-9]+({sign}[0-9]{{1,2}})?", re.ASCII)
        self._readers: Mapping[type[FieldType], Callable[[Any, str], object]] = {
            Integer: _whole,
            Money: self._money,
            Boolean: lambda _, text: _BOOLEANS.get(text.strip(), text),
            ListOf: _list,
            EnumField: _stripped,
            Date: _stripped,
            Timestamp: _stripped,
        }

    def __call__(self, field_type: FieldType, raw: object) -> object:
        """Return the value of a cell. Raises `ValidationError`; the field type checks everything else."""
        read = self._readers.get(type(field_type))
        if read is None or not isinstance(raw, str):
            return raw
        return read(field_type, raw)

    def _money(self, _: Money, text: str) -> Decimal:
        text = text.strip()
        if not self._amount.fullmatch(text):
            example = f"1234{self._decimal}50"
            reason = f"must be a number such as {example}, with at most two decimals and nothing between thousands"
            raise ValidationError("wrong_type", reason)
        return Decimal(text.replace(self._decimal, "."))


def _whole(field_type: Integer, text: str) -> object:
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        return text
    return int(text) if len(text) <= _MAX_DIGITS else from_json(field_type, Decimal(text))


def _list(_: ListOf, text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _stripped(field_type: FieldType, text: str) -> object:
    return from_json(field_type, text.strip())
