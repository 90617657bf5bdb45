"""Many operations in one request and one transaction."""

from collections.abc import Mapping
from typing import Any

import orjson
from attrs import frozen

from adapters.http.handlers.submitting import Submitter
from adapters.http.requests.bodies import read_object
from adapters.http.requests.request import Request
from adapters.http.responses.problems import PROBLEMS, problem_of, problem_response
from adapters.http.responses.responses import Response, json_text
from domain.changes import Action
from domain.commands import ANY_VERSION, Command, Create, Delete, Edit, Precondition, Refuse
from domain.decisions import MAX_COMMANDS, Done, Outcome, Result
from domain.entity_type import MAX_ID, EntityType
from domain.errors import DomainError, PreconditionRequired, ValidationFailed, Violation
from domain.field_types import Integer, ValidationError

_ID = Integer(1, MAX_ID)
_FIELDS = {"create": {"op", "body"}, "update": {"op", "id", "if_match", "body"}, "delete": {"op", "id", "if_match"}}
_NEEDED = {"create": ("body",), "update": ("id", "body"), "delete": ("id",)}


class Misshapen(ValidationFailed):
    """An operation that is itself not well-formed, as opposed to the document in it."""


@frozen(kw_only=True, eq=False)
class Bulk:
    """The bulk operation of one kind of entity."""

    entity_type: EntityType[Any]
    submitter: Submitter
    max_body: int
    require_if_match: bool

    async def apply(self, request: Request) -> Response:
        """Carry out the operations in the body."""
        body, raw = await read_object(request, self.max_body)
        atomic, operations = _checked(raw)
        commands = tuple(self._command(each) for each in operations)

        def rendered(outcome: Outcome) -> Response:
            return self._rendered(outcome, request.request_id, atomic=atomic)

        return await self.submitter.submit(request, body, commands, rendered, atomic=atomic)

    def _command(self, raw: object) -> Command:
        """Return the command of an operation; one that is wrong becomes a command that refuses, in its turn."""
        try:
            return self._parsed(raw)
        except DomainError as error:
            return Refuse(entity_type=self.entity_type, error=error)

    def _parsed(self, raw: object) -> Command:
        operation = _shaped(raw)
        op, body = operation["op"], operation.get("body", {})
        if op == "create":
            return Create.parse(self.entity_type, body)
        if self.require_if_match and "if_match" not in operation:
            raise PreconditionRequired(name="if_match")
        expected = Precondition(frozenset({operation["if_match"]})) if "if_match" in operation else ANY_VERSION
        if op == "update":
            return Edit.parse(self.entity_type, operation["id"], body, expected)
        return Delete(entity_type=self.entity_type, id=operation["id"], precondition=expected)

    def _rendered(self, outcome: Outcome, request_id: str, *, atomic: bool) -> Response:
        failed = outcome.failed
        if failed is not None:
            error = outcome.results[failed]
            assert isinstance(error, DomainError)
            refusal = problem_of(error, request_id, within=_within(failed, error))
            return problem_response({**refusal, "failed_index": failed}, *PROBLEMS[error.code].headers)
        results = ",".join([_result(index, each, request_id) for index, each in enumerate(outcome.results)])
        return json_text(f'{{"results":[{results}]}}', status=200 if atomic else 207)


def _result(index: int, result: Result, request_id: str) -> str:
    if not isinstance(result, Done):
        body = problem_of(result, request_id, within=_within(index, result))
        return orjson.dumps({"status": body["status"], "body": body}).decode()
    action = result.change.action if result.change else None
    if action is Action.DELETED:
        return f'{{"status":200,"body":{{"deleted":{result.record.document}}}}}'
    return f'{{"status":{201 if action is Action.CREATED else 200},"body":{result.record.document}}}'


def _within(index: int, error: DomainError) -> str:
    return f"/operations/{index}" if isinstance(error, Misshapen) else f"/operations/{index}/body"


def _checked(raw: Mapping[str, Any]) -> tuple[bool, list[Any]]:
    """Return whether the request is atomic, and its operations. Raises `Invalid`."""
    atomic, operations = raw.get("atomic", True), raw.get("operations")
    violations = [
        _violation(name, "unknown_field", "is not a field") for name in raw if name not in ("atomic", "operations")
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


def _shaped(raw: object) -> dict[str, Any]:
    """Return an operation whose parts are there and of their types. Raises `Misshapen`."""
    if not isinstance(raw, dict):
        raise Misshapen(violations=(_violation("op", "wrong_type", "is missing: an operation must be an object"),))
    op = raw.get("op")
    if not (isinstance(op, str) and op in _FIELDS):
        raise Misshapen(violations=(_violation("op", "not_a_choice", f"must be one of {', '.join(_FIELDS)}"),))
    violations = [_violation(name, "unknown_field", "is not a field") for name in raw if name not in _FIELDS[op]]
    violations += [_violation(name, "required", "is required") for name in _NEEDED[op] if raw.get(name) is None]
    shaped = {name: value for name, value in raw.items() if value is not None}
    for name in ("id", "if_match"):
        try:
            if name in shaped:
                shaped[name] = _ID.check(shaped[name])
        except ValidationError as refused:
            violations.append(_violation(name, refused.code, refused.reason))
    if not isinstance(shaped.get("body", {}), dict):
        violations.append(_violation("body", "wrong_type", "must be an object"))
    if violations:
        raise Misshapen(violations=tuple(violations))
    return shaped


def _violation(field: str, code: str, reason: str) -> Violation:
    return Violation(field=field, code=code, reason=reason)
