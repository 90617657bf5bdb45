"""Many operations in one request and one transaction."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from attrs import frozen

from adapters.http.handlers.submitting import Submitter
from adapters.http.requests.bodies import read_object
from adapters.http.requests.parameters import ID_DIGITS
from adapters.http.requests.request import Request
from adapters.http.responses.problems import PROBLEMS, problem_of, problem_response
from adapters.http.responses.responses import Response, json_text
from domain.changes import Action
from domain.commands import ANY_VERSION, NOBODY, Command, Create, Delete, Edit, Precondition, Refuse, Restore
from domain.decisions import MAX_COMMANDS, Done, Outcome, Result
from domain.entity_type import MAX_ID, EntityType
from domain.errors import DomainError, PreconditionRequired, ValidationFailed, Violations
from domain.field_types import Integer, ValidationError
from domain.parsing import json_value
from domain.ports import Writer
from domain.stock import AdjustStock
from domain.upsert import Upsert
from domain.use_cases.write import carry_out

# As in a path, an id that no store can hold stands for the largest, which no entity has.
_NUMBERS = {"id": Integer(1, 10**ID_DIGITS - 1), "if_match": Integer(1, MAX_ID)}
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


MAX_TOLD = 5000
"""How many violations are told of all operations together, as long as each that was refused tells one."""


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
        commands = await request.compute(lambda: tuple(self._command(each) for each in operations))

        def rendered(outcome: Outcome) -> Response:
            refused = sum(isinstance(each, DomainError) for each in outcome.results)
            told = max(1, MAX_TOLD // max(1, refused))
            results = [Rendered(each, operations[index], index, told) for index, each in enumerate(outcome.results)]
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
    told: int
    """How many violations are told of it."""

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
        error, of_command = self.result, False
        if isinstance(error, ValidationFailed):
            error, of_command = error.shortened(self.told), error.of_command
        has_body = not of_command and "body" in self.operation
        within = f"/operations/{self.index}{'/body' if has_body else ''}"
        return problem_of(error, request_id, root, within=within)


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
    violations = Violations()
    if not isinstance(atomic, bool):
        violations.add("atomic", "wrong_type", "must be true or false")
    if operations is None:
        violations.add("operations", "required", "is required")
    elif not isinstance(operations, list):
        violations.add("operations", "wrong_type", "must be a list")
    elif not 1 <= len(operations) <= MAX_COMMANDS:
        violations.add("operations", "out_of_range", f"must have 1 to {MAX_COMMANDS} operations")
    for name in raw:
        if name not in ("atomic", "operations"):
            violations.add(name, "unknown_field", "is not a field (there are atomic, operations)")
    if violations.told:
        raise violations.failure()
    assert isinstance(atomic, bool)
    assert isinstance(operations, list)
    return atomic, operations


def _shaped(raw: object, known: tuple[str, ...]) -> dict[str, Any]:
    """Return an operation whose parts are present and of the right types. Raises `ValidationFailed`."""
    if not isinstance(raw, dict):
        raise _misshapen("op", "wrong_type", "is missing: an operation must be an object")
    op = raw.get("op")
    if not (isinstance(op, str) and op in known):
        raise _misshapen("op", "not_a_choice", f"must be one of {', '.join(known)}")
    unknown = f"is not a part of {op} (there are {', '.join(_FIELDS[op])})"
    violations = Violations()
    for name in _NEEDED[op]:
        if raw.get(name) is None:
            violations.add(name, "required", "is required")
    shaped = {name: value for name, value in raw.items() if value is not None}
    for name, number in _NUMBERS.items():
        try:
            if name in shaped:
                shaped[name] = min(MAX_ID, json_value(number, shaped[name]))
        except ValidationError as refused:
            violations.add(name, refused.code, refused.reason)
    if not isinstance(shaped.get("body", {}), dict):
        violations.add("body", "wrong_type", "must be an object")
    for name in raw:
        if name not in _FIELDS[op]:
            violations.add(name, "unknown_field", unknown)
    if violations.told:
        raise violations.failure(of_command=True)
    return shaped


def _misshapen(field: str, code: str, reason: str) -> ValidationFailed:
    """Return an error about the operation itself, not about the values in it."""
    violations = Violations()
    violations.add(field, code, reason)
    return violations.failure(of_command=True)
