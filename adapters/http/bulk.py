"""Many operations in one request and one transaction."""

from collections.abc import Mapping
from typing import Any

import orjson
from attrs import frozen

from adapters.http.answers import Answer, json_text
from adapters.http.bodies import read_object
from adapters.http.call import Call
from adapters.http.problems import PROBLEMS, problem_answer, problem_of
from adapters.http.submitting import Submitter
from domain.changes import Action
from domain.commands import ANY_VERSION, Command, Create, Delete, Edit, Precondition, Refuse
from domain.decisions import MAX_COMMANDS, Done, Outcome, Result
from domain.errors import Breach, DomainError, Invalid
from domain.kinds import MAX_ID, Kind
from domain.rules import Refused, Whole

_ID = Whole(1, MAX_ID)
_FIELDS = {"create": {"op", "body"}, "update": {"op", "id", "if_match", "body"}, "delete": {"op", "id", "if_match"}}
_NEEDED = {"create": ("body",), "update": ("id", "body"), "delete": ("id",)}


class Misshapen(Invalid):
    """An operation that is itself not well-formed, as opposed to the document in it."""


@frozen(kw_only=True, eq=False)
class Bulk:
    """The bulk operation of one kind of entity."""

    kind: Kind[Any]
    submitter: Submitter
    max_body: int
    require_if_match: bool

    async def apply(self, call: Call) -> Answer:
        """Carry out the operations in the body."""
        body, raw = await read_object(call, self.max_body)
        atomic, operations = _checked(raw)
        commands = tuple(self._command(each) for each in operations)

        def rendered(outcome: Outcome) -> Answer:
            return self._rendered(outcome, call.request_id, atomic=atomic)

        return await self.submitter.submit(call, body, commands, rendered, atomic=atomic)

    def _command(self, raw: object) -> Command:
        """Return the command of an operation; one that is wrong becomes a command that refuses, in its turn."""
        try:
            return self._parsed(raw)
        except Invalid as error:
            return Refuse(kind=self.kind, error=error)

    def _parsed(self, raw: object) -> Command:
        operation = _shaped(raw, require_if_match=self.require_if_match)
        op, body = operation["op"], operation.get("body", {})
        if op == "create":
            return Create.parse(self.kind, body)
        expected = Precondition(frozenset({operation["if_match"]})) if "if_match" in operation else ANY_VERSION
        if op == "update":
            return Edit.parse(self.kind, operation["id"], body, expected)
        return Delete(kind=self.kind, id=operation["id"], precondition=expected)

    def _rendered(self, outcome: Outcome, request_id: str, *, atomic: bool) -> Answer:
        failed = outcome.failed
        if failed is not None:
            error = outcome.results[failed]
            assert isinstance(error, DomainError)
            refusal = problem_of(error, request_id, within=_within(failed, error))
            return problem_answer({**refusal, "failed_index": failed}, *PROBLEMS[error.code].headers)
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
    breaches = [
        _breach(name, "unknown_field", "is not a field") for name in raw if name not in ("atomic", "operations")
    ]
    if not isinstance(atomic, bool):
        breaches.append(_breach("atomic", "wrong_type", "must be true or false"))
    if operations is None:
        breaches.append(_breach("operations", "required", "is required"))
    elif not isinstance(operations, list):
        breaches.append(_breach("operations", "wrong_type", "must be a list"))
    elif not 1 <= len(operations) <= MAX_COMMANDS:
        breaches.append(_breach("operations", "out_of_range", f"must have 1 to {MAX_COMMANDS} operations"))
    if breaches:
        raise Invalid(breaches=tuple(breaches))
    assert isinstance(atomic, bool)
    assert isinstance(operations, list)
    return atomic, operations


def _shaped(raw: object, *, require_if_match: bool) -> dict[str, Any]:
    """Return an operation whose parts are there and of their types. Raises `Misshapen`."""
    if not isinstance(raw, dict):
        raise Misshapen(breaches=(_breach("op", "wrong_type", "is missing: an operation must be an object"),))
    op = raw.get("op")
    if not (isinstance(op, str) and op in _FIELDS):
        raise Misshapen(breaches=(_breach("op", "not_a_choice", f"must be one of {', '.join(_FIELDS)}"),))
    needed = (*_NEEDED[op], *(("if_match",) if require_if_match and op != "create" else ()))
    breaches = [_breach(name, "unknown_field", "is not a field") for name in raw if name not in _FIELDS[op]]
    breaches += [_breach(name, "required", "is required") for name in needed if raw.get(name) is None]
    shaped = {name: value for name, value in raw.items() if value is not None}
    for name in ("id", "if_match"):
        try:
            if name in shaped:
                shaped[name] = _ID.check(shaped[name])
        except Refused as refused:
            breaches.append(_breach(name, refused.code, refused.reason))
    if not isinstance(shaped.get("body", {}), dict):
        breaches.append(_breach("body", "wrong_type", "must be an object"))
    if breaches:
        raise Misshapen(breaches=tuple(breaches))
    return shaped


def _breach(field: str, code: str, reason: str) -> Breach:
    return Breach(field=field, code=code, reason=reason)
