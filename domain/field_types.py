"""Field types. A type defines the values of a field, their stored form and their order.

A value is a Python value: text, an `int`, a `Decimal`, a `date`, a member of an enumeration. `parsing.py` makes values
from JSON and plain text. The field handles None, not its type.
"""

import re
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from attrs import field, frozen

from domain.text import MAX_MARKS, clean, fold, forbidden_character, has_too_many_marks, shows_something
from domain.urls import MAX_URL_LENGTH, check_url

FORBIDDEN_IN_LINE = "control characters or line breaks"
FORBIDDEN_IN_LINES = "control characters other than line breaks and tabs"


@frozen
class ValidationError(Exception):
    """A value breaks a rule. `code` is for programs; `reason` completes the sentence "<field> …"."""

    code: str
    reason: str


class FieldType(ABC):
    """The values that a field may hold, and their order."""

    @abstractmethod
    def check(self, value: object) -> Any:
        """Return a value in its stored form, such as trimmed. Raises `ValidationError`."""

    def key(self, value: Any) -> Any:
        """Return the sort key of `value`."""
        return value


@frozen
class String(FieldType):
    """Text of `least` to `most` code points after trimming; one line, unless `lines` are allowed."""

    least: int
    most: int
    lines: bool = False
    alphabet: str | None = None  # the inside of a character class, such as A-Z

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValidationError("wrong_type", "must be text")
        if value.isascii() and value.isprintable():  # as most texts are: spaces may surround it, and all else is seen
            text = value.strip()
            is_blank = not text
        else:
            text = clean(value, lines=self.lines)
            self._check_characters(text)
            is_blank = not shows_something(text)
        if self.least and is_blank:
            raise ValidationError("blank", "must not be blank")
        if not self.least <= len(text) <= self.most:
            code = "too_long" if len(text) > self.most else "too_short"
            raise ValidationError(code, f"must have {self.least} to {self.most} characters")
        if self.alphabet is not None and not re.fullmatch(f"[{self.alphabet}]*", text):
            raise ValidationError("forbidden_character", f"must contain only the characters {self.alphabet}")
        return text

    def _check_characters(self, text: str) -> None:
        if forbidden_character(text, lines=self.lines) is not None:
            what = FORBIDDEN_IN_LINES if self.lines else FORBIDDEN_IN_LINE
            raise ValidationError("forbidden_character", f"must not contain {what}")
        if has_too_many_marks(text):
            reason = f"must not have more than {MAX_MARKS} marks, such as accents, one after the other"
            raise ValidationError("too_many_marks", reason)

    def key(self, value: str) -> str:
        return fold(value)


@frozen
class Url(String):
    """The URL of an endpoint that the service may call, as far as its text shows."""

    least: int = field(default=1, init=False)
    most: int = field(default=MAX_URL_LENGTH, init=False)

    def check(self, value: object) -> str:
        text = String.check(self, value)
        if (reason := check_url(text)) is not None:
            raise ValidationError("not_a_url", reason)
        return text


@frozen
class Boolean(FieldType):
    """A boolean; no number and no text stands for one."""

    def check(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("wrong_type", "must be true or false")
        return value


@frozen
class ListOf(FieldType):
    """A list of some of `known`, in any order, without repetition."""

    known: tuple[str, ...]

    def check(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)):
            raise ValidationError("wrong_type", "must be a list")
        for index, each in enumerate(value):
            if each not in self.known:
                raise ValidationError("not_a_choice", f"must hold only {', '.join(self.known)}")
            if each in value[:index]:
                raise ValidationError("duplicate", f"must not hold {each} twice")
        return tuple(value)


@frozen
class EnumField(FieldType):
    """One member of an enumeration whose order of definition is the order of its values."""

    members: type[Enum]
    ranks: dict[Enum, int] = field(init=False, repr=False, hash=False)
    by_value: dict[str, Enum] = field(init=False, repr=False, hash=False)

    @ranks.default
    def _ranked(self) -> dict[Enum, int]:
        return {member: rank for rank, member in enumerate(self.members)}

    @by_value.default
    def _by_value(self) -> dict[str, Enum]:
        return {member.value: member for member in self.members}

    def check(self, value: object) -> Enum:
        if not isinstance(value, self.members):
            raise ValidationError("not_a_choice", f"must be one of {', '.join(self.by_value)}")
        return value

    def key(self, value: Enum) -> int:
        return self.ranks[value]


@frozen
class Integer(FieldType):
    """A whole number from `least` to `most`; a boolean is no number."""

    least: int
    most: int

    def check(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValidationError("wrong_type", "must be a whole number")
        self.check_range(value)
        return value

    def check_range(self, number: int | Decimal) -> None:
        """Raise `ValidationError` for a number that is out of range."""
        if not self.least <= number <= self.most:
            raise ValidationError("out_of_range", f"must be from {self.least} to {self.most}")


@frozen
class Money(FieldType):
    """An exact amount from 0 to `most` with at most two decimals by value: 9.990 is 9.99, 9.999 is refused.

    It is an `int` or a `Decimal`. A `float` is refused, because it cannot hold 9.99 exactly.
    """

    most: Decimal

    CENT = Decimal("0.01")

    def check(self, value: object) -> Decimal:
        if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
            raise ValidationError("wrong_type", "must be a number, or text such as 9.99 with at most two decimals")
        amount = Decimal(value)
        if not (amount.is_finite() and 0 <= amount <= self.most):
            raise ValidationError("out_of_range", f"must be from 0 to {self.most}")
        rounded = abs(amount.quantize(self.CENT))
        if rounded != amount:
            raise ValidationError("too_many_decimals", "must have at most two decimals")
        return rounded


@frozen
class Date(FieldType):
    """A calendar date."""

    EXAMPLE = "must be a date such as 2026-12-31"

    def check(self, value: object) -> date:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise ValidationError("wrong_type", self.EXAMPLE)
        return value


@frozen
class Timestamp(FieldType):
    """A point in time, to the microsecond, kept in UTC. A time without a time zone is none."""

    EXAMPLE = "must be a time such as 2026-12-31T23:59:59.000000Z"

    def check(self, value: object) -> datetime:
        if isinstance(value, datetime) and value.tzinfo is UTC:
            return value
        if isinstance(value, datetime) and value.tzinfo is not None:
            with suppress(OverflowError):  # so early or late that its UTC date is out of range
                return value.astimezone(UTC)
        raise ValidationError("not_a_time", self.EXAMPLE)
