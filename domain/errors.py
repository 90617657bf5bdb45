"""The errors of the domain, as facts. An error writes its own message and knows nothing of the protocol."""

from collections.abc import Iterable
from typing import Any, ClassVar

from attrs import define, evolve, field, frozen

MAX_VIOLATIONS = 100
"""How many violations are told at once: nobody reads more, and a body can hold a hundred thousand."""

MAX_NAME = 100
"""Characters of a name that is told."""


class DomainError(Exception):
    """A refusal with its facts.

    `code` names it for programs. `decided` tells whether the state of the store decided it; then an
    idempotency key keeps the outcome. Otherwise the same request always gets the same refusal.
    """

    code: ClassVar[str]
    decided: ClassVar[bool] = False

    @property
    def message(self) -> str:
        """Say what went wrong in one plain sentence."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.message


@frozen(kw_only=True)
class Violation:
    """One broken rule: the field, a code for programs, and the rest of the sentence "<field> …"."""

    field: str
    code: str
    reason: str

    @property
    def detail(self) -> str:
        """Say it in one sentence."""
        return f"{self.field} {self.reason}"


@frozen(kw_only=True)
class ValidationFailed(DomainError):
    """Values break the rules of their entity type; the error has every violation, or the first of very many."""

    code: ClassVar[str] = "invalid"
    violations: tuple[Violation, ...]
    omitted: int = 0  # how many more there are
    of_command: bool = False  # the violations are of the command itself, and not of its values

    def shortened(self, most: int) -> "ValidationFailed":
        """Return the same with not more violations than that."""
        beyond = max(0, len(self.violations) - most)
        return evolve(self, violations=self.violations[:most], omitted=self.omitted + beyond)

    @property
    def message(self) -> str:
        missing = [violation.field for violation in self.violations if violation.code == "required"]
        others = [violation.detail for violation in self.violations if violation.code != "required"]
        if missing:
            others.insert(0, f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} required")
        if self.omitted:
            others.append(f"and {self.omitted} more")
        return "; ".join(others)


@define
class Violations:
    """What is found to be wrong, one by one."""

    told: list[Violation] = field(factory=list, init=False)
    omitted: int = field(default=0, init=False)

    def add(self, field: str, code: str, reason: str) -> None:
        """Note a violation, or only that there is one more."""
        if len(self.told) >= MAX_VIOLATIONS:
            self.omitted += 1
            return
        name = field if len(field) <= MAX_NAME else f"{field[:MAX_NAME]}…"
        self.told.append(Violation(field=name, code=code, reason=reason))

    def failure(self, first: Iterable[Violation] = (), *, of_command: bool = False) -> ValidationFailed:
        """Return the error that tells all of it, some violations first."""
        told = (*first, *self.told)
        return ValidationFailed(violations=told, omitted=self.omitted, of_command=of_command).shortened(MAX_VIOLATIONS)


@frozen
class BadParameter(DomainError):
    """A parameter is unknown, repeated or not of its type."""

    code: ClassVar[str] = "bad_parameter"
    reason: str

    @property
    def message(self) -> str:
        return self.reason


@frozen(kw_only=True)
class ParameterOutOfRange(DomainError):
    """The value of a parameter is of its type, but not in its range."""

    code: ClassVar[str] = "invalid"
    parameter: str
    reason: str

    @property
    def message(self) -> str:
        return f"{self.parameter} {self.reason}"


@frozen(kw_only=True)
class NotFound(DomainError):
    """No such entity, or no longer."""

    code: ClassVar[str] = "not_found"
    decided: ClassVar[bool] = True
    entity_type: str
    id: int
    undone: bool = False  # an operation of the same request had deleted it, and was undone

    @property
    def message(self) -> str:
        because = ": an earlier operation of this request had deleted it" if self.undone else ""
        return f"{self.entity_type.capitalize()} not found{because}"


@frozen(kw_only=True)
class NotDeleted(DomainError):
    """Only a deleted entity can be restored."""

    code: ClassVar[str] = "not_deleted"
    decided: ClassVar[bool] = True
    entity_type: str
    id: int

    @property
    def message(self) -> str:
        return f"{self.entity_type} {self.id} is not deleted"


@frozen(kw_only=True)
class AlreadyExists(DomainError):
    """Another living entity holds a value that must be unique."""

    code: ClassVar[str] = "already_exists"
    decided: ClassVar[bool] = True
    entity_type: str
    field: str
    value: object
    owner: int
    undone: bool = False  # an operation of the same request had taken it, and was undone

    @property
    def message(self) -> str:
        if self.undone:
            return f"an earlier operation of this request had taken {self.field} {self.value}"
        return f"{self.field} {self.value} already belongs to {self.entity_type} {self.owner}"


@frozen(kw_only=True)
class PreconditionFailed(DomainError):
    """The entity is not at a version that the caller named.

    `expected` is the highest of these, or None if the caller named only `unknown` tags. `changed` names the fields
    that changed since that version; a store reads them from the log. `undone` tells that `current` is at that
    version, because the request's own earlier change was undone.
    """

    code: ClassVar[str] = "precondition_failed"
    decided: ClassVar[bool] = True
    current: Any  # the entity, or the `StoredEntity` once a store has written it
    expected: int | None
    unknown: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    undone: bool = False

    @property
    def message(self) -> str:
        if self.undone:
            return f"an earlier operation of this request had changed what is version {self.expected} again now"
        if self.expected is None:
            return f"version is {self.current.version}, and {', '.join(self.unknown)} names no version"
        return f"version is {self.current.version}, not {self.expected}"


@frozen(kw_only=True)
class PreconditionRequired(DomainError):
    """A change must name the version that it changes."""

    code: ClassVar[str] = "precondition_required"
    name: str  # of what names it

    @property
    def message(self) -> str:
        return f"{self.name} is required: send the version that you change"


@frozen(kw_only=True)
class InsufficientStock(DomainError):
    """An adjustment would take the stock below zero."""

    code: ClassVar[str] = "insufficient_stock"
    decided: ClassVar[bool] = True
    id: int
    stock: int
    change: int

    @property
    def message(self) -> str:
        return f"stock is {self.stock}, which is not enough for a change of {self.change}"


@frozen(kw_only=True)
class StockNotTracked(DomainError):
    """The product has no stock to adjust."""

    code: ClassVar[str] = "stock_not_tracked"
    decided: ClassVar[bool] = True
    id: int

    @property
    def message(self) -> str:
        return f"the stock of product {self.id} is not tracked"


class KeyReused(DomainError):
    """An idempotency key came back with another request."""

    code: ClassVar[str] = "idempotency_key_reused"

    @property
    def message(self) -> str:
        return "this idempotency key belongs to another request"


class KeyInFlight(DomainError):
    """The first request with this idempotency key has not been decided yet."""

    code: ClassVar[str] = "idempotency_key_in_flight"

    @property
    def message(self) -> str:
        return "the first request with this idempotency key is still being processed"


class BadCursor(DomainError):
    """The text is no cursor of this log."""

    code: ClassVar[str] = "bad_cursor"

    @property
    def message(self) -> str:
        return "this is no cursor of this service"


class CursorExpired(DomainError):
    """The cursor is older than the changes that are kept."""

    code: ClassVar[str] = "cursor_expired"

    @property
    def message(self) -> str:
        return "the changes after this cursor are no longer kept; list again, and follow from there"


class Unavailable(DomainError):
    """The store cannot be reached, is overloaded or is closing; as far as anyone knows, nothing changed."""

    code: ClassVar[str] = "unavailable"

    def __init__(self, reason: str = "the store is not available right now") -> None:
        super().__init__(reason)
        self._reason = reason

    @property
    def message(self) -> str:
        return self._reason


class StorageFull(DomainError):
    """There is no room left to write. Reads still work, and writes work again when there is room."""

    code: ClassVar[str] = "storage_full"

    @property
    def message(self) -> str:
        return "there is no space left to store this"


def _listed(names: list[str]) -> str:
    """Join names as a sentence does: a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
