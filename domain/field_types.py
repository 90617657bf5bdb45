"""The rule of one field: which raw values it takes, what it makes of them, and how its values are ordered.

A raw value is what a document can hold: text, a whole number, a decimal, a boolean, a list or None. None itself is the
business of the field, not of its rule. Every rule also reads a value from plain text, for filters.
"""

import re
from abc import ABC, abstractmethod
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from attrs import field, frozen

from domain.text import clean, fold, forbidden_character, shows_something
from domain.urls import MAX_URL_LENGTH, check_url

# What stored values can be compared with, far beyond what any field takes.
MOST_COUNTED = 2**63 - 1
MOST_COMPARED = 10**15


FORBIDDEN_IN_LINE = "control characters or line breaks"
FORBIDDEN_IN_LINES = "control characters other than line breaks and tabs"


@frozen
class ValidationError(Exception):
    """A raw value breaks a rule. `code` is for programs; `reason` completes the sentence "<field> …"."""

    code: str
    reason: str


class FieldType(ABC):
    """What a field may hold."""

    @abstractmethod
    def check(self, raw: object) -> Any:
        """Return the value that `raw` stands for. Raises `Refused`."""

    @abstractmethod
    def read(self, text: str) -> Any:
        """Return the value that plain `text` stands for.

        Raises `ValueError` when it is not of the rule's type, `Refused` when no value is as large as that.
        """

    def key(self, value: Any) -> Any:
        """Return what `value` is ordered by."""
        return value


@frozen
class String(FieldType):
    """Text of `least` to `most` code points after trimming; one line, unless `lines` are allowed."""

    least: int
    most: int
    lines: bool = False
    alphabet: str | None = None  # the inside of a character class, such as A-Z

    def check(self, raw: object) -> str:
        if not isinstance(raw, str):
            raise ValidationError("wrong_type", "must be text")
        text = clean(raw, lines=self.lines)
        if forbidden_character(text, lines=self.lines) is not None:
            what = FORBIDDEN_IN_LINES if self.lines else FORBIDDEN_IN_LINE
            raise ValidationError("forbidden_character", f"must not contain {what}")
        if self.least and not shows_something(text):
            raise ValidationError("blank", "must not be blank")
        if not self.least <= len(text) <= self.most:
            code = "too_long" if len(text) > self.most else "too_short"
            raise ValidationError(code, f"must have {self.least} to {self.most} characters")
        if self.alphabet is not None and not re.fullmatch(f"[{self.alphabet}]*", text):
            raise ValidationError("forbidden_character", f"must contain only the characters {self.alphabet}")
        return text

    def read(self, text: str) -> str:
        if forbidden_character(text, lines=True) is not None:
            raise ValueError(text)
        return text

    def key(self, value: str) -> str:
        return fold(value)


@frozen
class Url(String):
    """The URL of an endpoint that the service may call, as far as that shows on paper."""

    least: int = field(default=1, init=False)
    most: int = field(default=MAX_URL_LENGTH, init=False)

    def check(self, raw: object) -> str:
        text = String.check(self, raw)
        if (reason := check_url(text)) is not None:
            raise ValidationError("not_a_url", reason)
        return text


@frozen
class Boolean(FieldType):
    """A boolean; no number and no text stands for one."""

    def check(self, raw: object) -> bool:
        if not isinstance(raw, bool):
            raise ValidationError("wrong_type", "must be true or false")
        return raw

    def read(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"


@frozen
class ListOf(FieldType):
    """A list of some of `known`, in any order, none of them twice."""

    known: tuple[str, ...]

    def check(self, raw: object) -> tuple[str, ...]:
        if not isinstance(raw, (list, tuple)):
            raise ValidationError("wrong_type", "must be a list")
        for index, each in enumerate(raw):
            if each not in self.known:
                raise ValidationError("not_a_choice", f"must hold only {', '.join(self.known)}")
            if each in raw[:index]:
                raise ValidationError("duplicate", f"must not hold {each} twice")
        return tuple(raw)

    def read(self, text: str) -> tuple[str, ...]:
        try:
            return self.check(text.split(",") if text else ())
        except ValidationError:
            raise ValueError(text) from None


@frozen
class EnumField(FieldType):
    """One member of an enumeration whose order of definition is the order of its values."""

    members: type[Enum]
    ranks: dict[Any, int] = field(init=False, repr=False, hash=False)
    by_value: dict[Any, Any] = field(init=False, repr=False, hash=False)

    @ranks.default
    def _ranked(self) -> dict[Any, int]:
        return {member: rank for rank, member in enumerate(self.members)}

    @by_value.default
    def _by_value(self) -> dict[Any, Any]:
        return {member.value: member for member in self.members}

    def check(self, raw: object) -> Any:
        member = self.by_value.get(raw) if isinstance(raw, str) else None
        if member is None:
            raise ValidationError("not_a_choice", f"must be one of {', '.join(self.by_value)}")
        return member

    def read(self, text: str) -> Any:
        return self.members(text)

    def key(self, value: Any) -> int:
        return self.ranks[value]


@frozen
class Integer(FieldType):
    """A whole number from `least` to `most`; `5.0` is 5, a boolean is no number."""

    least: int
    most: int

    def check(self, raw: object) -> int:
        if isinstance(raw, Decimal) and raw.is_finite():
            if not self.least <= raw <= self.most:
                raise ValidationError("out_of_range", f"must be from {self.least} to {self.most}")
            if raw == raw.to_integral_value():
                raw = int(raw)
        if not isinstance(raw, int) or isinstance(raw, bool):
            raise ValidationError("wrong_type", "must be a whole number")
        if not self.least <= raw <= self.most:
            raise ValidationError("out_of_range", f"must be from {self.least} to {self.most}")
        return raw

    def read(self, text: str) -> int:
        if not re.fullmatch(r"-?[0-9]+", text):
            raise ValueError(text)
        return int(_within(Decimal(text), MOST_COUNTED))


@frozen
class Money(FieldType):
    """An exact amount from 0 to `most` with at most two decimals by value: 9.990 is 9.99, 9.999 is refused."""

    most: Decimal

    CENT = Decimal("0.01")
    DECIMALS = r"(\.[0-9]{1,2})?"  # of an amount as text

    def check(self, raw: object) -> Decimal:
        amount = self._amount(raw)
        if not (amount.is_finite() and 0 <= amount <= self.most):
            raise ValidationError("out_of_range", f"must be from 0 to {self.most}")
        rounded = abs(amount.quantize(self.CENT))
        if rounded != amount:
            raise ValidationError("too_many_decimals", "must have at most two decimals")
        return rounded

    def _amount(self, raw: object) -> Decimal:
        if isinstance(raw, str) and re.fullmatch(f"[0-9]+{self.DECIMALS}", raw):
            return Decimal(raw)
        if isinstance(raw, (int, Decimal)) and not isinstance(raw, bool):
            return Decimal(raw)
        raise ValidationError("wrong_type", "must be a number, or text such as 9.99 with at most two decimals")

    def read(self, text: str) -> Decimal:
        if not re.fullmatch(f"-?[0-9]+{self.DECIMALS}", text):
            raise ValueError(text)
        return _within(Decimal(text), MOST_COMPARED)


@frozen
class Date(FieldType):
    """A calendar date, written YYYY-MM-DD (RFC 3339, full-date)."""

    def check(self, raw: object) -> date:
        if not isinstance(raw, str):
            raise ValidationError("wrong_type", "must be a date such as 2026-12-31")
        try:
            return self.read(raw)
        except ValueError:
            raise ValidationError("not_a_date", "must be a date such as 2026-12-31") from None

    def read(self, text: str) -> date:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        return date.fromisoformat(text)


@frozen
class Timestamp(FieldType):
    """A point in time, to the microsecond, in UTC, written as RFC 3339 says."""

    PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"

    def check(self, raw: object) -> datetime:
        try:
            return self.read(raw if isinstance(raw, str) else "")
        except ValueError:
            raise ValidationError("not_a_time", "must be a time such as 2026-12-31T23:59:59.000000Z") from None

    def read(self, text: str) -> datetime:
        if not re.fullmatch(self.PATTERN, text):
            raise ValueError(text)
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except OverflowError:
            raise ValueError(text) from None


def _within(number: Decimal, most: int) -> Decimal:
    if abs(number) > most:
        raise ValidationError("out_of_range", f"must be from -{most} to {most}")
    return number
