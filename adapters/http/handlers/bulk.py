"""Many operations in one request and one transaction."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from attrs import frozen

from adapters.http.handlers.submitting import Submitter
from adapters.http.requests.bodies import read_object
from adapters.http.requests.request import Request
from adapters.http.responses.problems import PROBLEMS, problem_of, problem_response
from adapters.http.responses.responses import Response, json_text
from domain.changes import Action
from domain.commands import ANY_VERSION, NOBODY, Command, Create, Delete, Edit, Precondition, Refuse, Restore
from domain.decisions import MAX_COMMANDS, Done, Outcome, Result
from domain.entity_type import MAX_ID, EntityType
from domain.errors import DomainError, PreconditionRequired, ValidationFailed, Violation
from domain.field_types import Integer, ValidationError
from domain.parsing import json_value
from domain.ports import Writer
from domain.stock import AdjustStock
from domain.upsert import Upsert
from domain.use_cases.write import carry_out

_ID = Integer(1, MAX_ID)
_FIELDS = {
    "create": ("op", "body"),
    "update": ("op", "id", "if_match", "body"),
    "delete": ("op", "id", "if_match"),
    "restore": ("op", "id", "if_match"),
    "upsert": ("op", "body"),
    "stock": ("op", "id", "if_match", "change", "reason"),
}
_NEEDED = {
    "create": ("body",),
    "update": ("id", "body"),
    "delete": ("id",),
    "restore": ("id",),
    "upsert": ("body",),
    "stock": ("id", "change"),
}


@frozen(kw_only=True, eq=False)
class Bulk:
    """The bulk operation of one entity type."""

    entity_type: EntityType[Any]
    writer: Writer
    submitter: Submitter
    max_body: int
    require_if_match: bool

    async def apply(self, request: Request) -> Response:
        """Carry out the operations in the body."""
        body, raw = await read_object(request, self.max_body)
        atomic, operations = _checked(raw)
        commands = tuple(self._command(each) for each in operations)

        def rendered(outcome: Outcome) -> Response:
            results = [Rendered(each, operations[index], index) for index, each in enumerate(outcome.results)]
            if outcome.failed is not None:
                return _refused(results, outcome.failed, outcome.request_id, request.root)
            written = ",".join([each.written(outcome.request_id, request.root) for each in results])
            return json_text(f'{{"results":[{written}]}}', status=200 if atomic else 207)

        use_case = partial(carry_out, self.writer, commands, atomic=atomic)
        return await self.submitter.submit(request, body, use_case, rendered)

    def _command(self, raw: object) -> Command:
        """Return the command of an operation. An invalid operation becomes a command that fails in its turn."""
        try:
            return self._parsed(raw)
        except DomainError as error:
            return Refuse(entity_type=self.entity_type, error=error)

    def _operations(self) -> tuple[str, ...]:
        """Name the known operations. An upsert names no version, so it is left out where a version is required."""
        upsert = ("upsert",) if self.entity_type.unique and not self.require_if_match else ()
        return "create", "update", "delete", "restore", *upsert, *(("stock",) if self.entity_type.stocked else ())

    def _parsed(self, raw: object) -> Command:
        entity_type = self.entity_type
        operation = _shaped(raw, self._operations())
        op, body, id = operation["op"], operation.get("body", {}), operation.get("id", NOBODY)
        if self.require_if_match and op != "create" and "if_match" not in operation:
            raise PreconditionRequired(name="if_match")
        expected = Precondition(frozenset({operation["if_match"]})) if "if_match" in operation else ANY_VERSION
        match op:
            case "create":
                return Create.parse(entity_type, body)
            case "update":
                return Edit.parse(entity_type, id, body, expected)
            case "upsert":
                return Upsert.parse(entity_type, entity_type.unique[0].name, body)
            case "stock":
                sent = {name: each for name, each in operation.items() if name in ("change", "reason")}
                return AdjustStock.parse(id, sent, expected)
            case "restore":
                return Restore(entity_type=entity_type, id=id, precondition=expected)
            case _:
                return Delete(entity_type=entity_type, id=id, precondition=expected)


@frozen
class Rendered:
    """The outcome of one operation, as the response shows it."""

    result: Result
    operation: Any
    index: int

    def written(self, request_id: str, root: str) -> str:
        """Return the result of an operation with its status."""
        result = self.result
        if not isinstance(result, Done):
            problem = self.problem(request_id, root)
            return orjson.dumps({"status": problem["status"], "body": problem}).decode()
        if result.action is Action.DELETED:
            return f'{{"status":200,"body":{{"deleted":{result.record.document}}}}}'
        return f'{{"status":{201 if result.action is Action.CREATED else 200},"body":{result.record.document}}}'

    def problem(self, request_id: str, root: str) -> dict[str, Any]:
        """Return why an operation failed, as a problem."""
        assert isinstance(self.result, DomainError)
        misshapen = isinstance(self.result, ValidationFailed) and self.result.of_command
        has_body = not misshapen and "body" in self.operation
        within = f"/operations/{self.index}{'/body' if has_body else ''}"
        return problem_of(self.result, request_id, root, within=within)


def _refused(results: Sequence[Rendered], failed: int, request_id: str, root: str) -> Response:
    """Respond where one operation failed, and so all did: with the first problem, and beside it each of them."""
    first = results[failed]
    assert isinstance(first.result, DomainError)
    failures = [each for each in results if isinstance(each.result, DomainError)]
    problems = [(each.index, each.problem(request_id, root)) for each in failures]
    told = [{"index": index, "status": problem["status"], "body": problem} for index, problem in problems]
    refusal = {**problems[0][1], "failed_index": failed, "failures": told}
    return problem_response(refusal, *PROBLEMS[first.result.code].headers)


def _checked(raw: Mapping[str, Any]) -> tuple[bool, list[Any]]:
    """Return whether the request is atomic, and its operations. Raises `ValidationFailed`."""
    atomic, operations = raw.get("atomic", True), raw.get("operations")
    violations = [
        _violation(name, "unknown_field", "is not a field (there are atomic, operations)")
        for name in raw
        if name not in ("atomic", "operations")
    ]
    if not isinstance(atomic, bool):
        violations.append(_violation("atomic", "wrong_type", "must be true or false"))
    if operations is None:
        violations.append(_violation("operations", "required", "is required"))
    elif not isinstance(operations, list):
        violations.append(_violation("operations", "wrong_type", "must be a list"))
    elif not 1 <= len(operations) <= MAX_COMMANDS:
        violations.append(_violation("operations", "out_of_range", f"must have 1 to {MAX_COMMANDS} operations"))
    if violations:
        raise ValidationFailed(violations=tuple(violations))
    assert isinstance(atomic, bool)
    assert isinstance(operations, list)
    return atomic, operations


def _shaped(raw: object, known: tuple[str, ...]) -> dict[str, Any]:
    """Return an operation whose parts are present and of the right types. Raises `ValidationFailed`."""
    if not isinstance(raw, dict):
        raise _misshapen(_violation("op", "wrong_type", "is missing: an operation must be an object"))
    op = raw.get("op")
    if not (isinstance(op, str) and op in known):
        raise _misshapen(_violation("op", "not_a_choice", f"must be one of {', '.join(known)}"))
    unknown = f"is not a part of {op} (there are {', '.join(_FIELDS[op])})"
    violations = [_violation(name, "unknown_field", unknown) for name in raw if name not in _FIELDS[op]]
    violations += [_violation(name, "required", "is required") for name in _NEEDED[op] if raw.get(name) is None]
    shaped = {name: value for name, value in raw.items() if value is not None}
    for name in ("id", "if_match"):
        try:
            if name in shaped:
                shaped[name] = json_value(_ID, shaped[name])
        except ValidationError as refused:
            violations.append(_violation(name, refused.code, refused.reason))
    if not isinstance(shaped.get("body", {}), dict):
        violations.append(_violation("body", "wrong_type", "must be an object"))
    if violations:
        raise _misshapen(*violations)
    return shaped


def _violation(field: str, code: str, reason: str) -> Violation:
    return Violation(field=field, code=code, reason=reason)


def _misshapen(*violations: Violation) -> ValidationFailed:
    """Return an error about the operation itself, not about the values in it."""
    return ValidationFailed(violations=violations, of_command=True)
