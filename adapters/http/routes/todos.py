"""The paths of to-dos by the rules of Todo-Backend."""

from typing import Any

from adapters.http.handlers.submitting import Submitter
from adapters.http.handlers.todos import MAX_TODOS, Todos, document
from adapters.http.openapi.declarations import Operation, Path, Reply, Schema
from adapters.http.openapi.examples import ORIGIN
from adapters.http.openapi.operation_parts import BODY, ID, KEPT, KEYLESS_WRITE, PREFER, SUBMITTED, WRITE
from adapters.http.openapi.schemas import field_schema, object_schema, ref
from adapters.http.requests.bodies import JSON, MERGE_PATCH
from adapters.http.responses.caching import PRIVATE
from adapters.http.routes.resources import Parts
from domain.access.scopes import AccessScope
from domain.todo import FIELDS, Todo

_URL: Schema = {"type": "string", "format": "uri"}
_SHOWN = {**{each.name: field_schema(each, sent=False) for each in FIELDS}, "url": _URL}
_SENT = {**{each.name: field_schema(each, sent=True) for each in FIELDS}, "url": {"readOnly": True}}
_SCHEMAS = {
    "Todo": object_schema(_SHOWN, list(_SHOWN)),
    "TodoCreate": object_schema(_SENT, [each.name for each in FIELDS if each.required]),
    "TodoEdit": object_schema(_SENT, []),
}
_TODO, _CREATE, _EDIT = map(ref, _SCHEMAS)
_TODOS: Schema = {"type": "array", "items": _TODO, "maxItems": MAX_TODOS}
_SENT_EXAMPLE = {"title": "Buy milk", "order": 523}
_EXAMPLE = document(Todo(id=1, completed=False, **_SENT_EXAMPLE), f"{ORIGIN}/todos")  # type: ignore[arg-type]
_GONE = Reply(description="It is gone.", headers=KEPT)
_KEPT_OF_ALL = ("Preference-Applied",)


def paths(parts: Parts) -> list[Path]:
    """Return the paths of to-dos."""
    todos = Todos(store=parts.store, submitter=Submitter(parts.dispatcher), max_body=parts.max_body)
    of_all = {"GET": _list(todos), "POST": _create(todos), "DELETE": _clear(todos)}
    of_one = {"GET": _get(todos), "PATCH": _edit(todos), "DELETE": _delete(todos)}
    return [
        Path(template="/todos", operations=of_all, schemas=_SCHEMAS),
        Path(template="/todos/{id}", operations=of_one),
    ]


def _operation(name: str, summary: str, scope: AccessScope, **facts: Any) -> Operation:
    return Operation(name=name, summary=summary, scope=scope, tags=("todos",), **facts)


def _list(todos: Todos) -> Operation:
    reply = Reply(description=f"The {MAX_TODOS} newest, by ascending id.", schema=_TODOS, example=[_EXAMPLE])
    return _operation(
        "listTodos", "List to-dos", AccessScope.READ, handler=todos.list, replies={200: reply}, caching=PRIVATE
    )


def _get(todos: Todos) -> Operation:
    return _operation(
        "getTodo",
        "Read a to-do",
        AccessScope.READ,
        handler=todos.one,
        replies={200: Reply(description="The to-do.", schema=_TODO, example=_EXAMPLE)},
        parameters=(ID,),
        problems=("not_found", "invalid"),
        caching=PRIVATE,
    )


def _create(todos: Todos) -> Operation:
    created = Reply(description="It exists.", schema=_TODO, example=_EXAMPLE, headers=("Location", *KEPT))
    return _operation(
        "createTodo",
        "Create a to-do",
        AccessScope.WRITE,
        handler=todos.create,
        replies={201: created},
        parameters=SUBMITTED,
        takes=_CREATE,
        example=_SENT_EXAMPLE,
        problems=(*BODY, *WRITE),
    )


def _edit(todos: Todos) -> Operation:
    after = Reply(
        description="The to-do after the change.",
        schema=_TODO,
        example={**_EXAMPLE, "completed": True},
        headers=KEPT,
    )
    return _operation(
        "patchTodo",
        "Set fields of a to-do",
        AccessScope.WRITE,
        handler=todos.edit,
        replies={200: after},
        parameters=(ID, *SUBMITTED),
        takes=_EDIT,
        example={"completed": True},
        body_types=(MERGE_PATCH, JSON),
        problems=("not_found", *BODY, *WRITE),
    )


def _delete(todos: Todos) -> Operation:
    return _operation(
        "deleteTodo",
        "Delete a to-do",
        AccessScope.WRITE,
        handler=todos.delete,
        replies={204: _GONE},
        parameters=(ID, *SUBMITTED),
        problems=("not_found", "invalid", "body_too_large", "timeout", *WRITE),
    )


def _clear(todos: Todos) -> Operation:
    return _operation(
        "deleteTodos",
        "Delete all to-dos, which are all tasks",
        AccessScope.WRITE,
        handler=todos.clear,
        replies={204: Reply(description="They are gone.", headers=_KEPT_OF_ALL)},
        parameters=(PREFER,),
        problems=("body_too_large", "timeout", *KEYLESS_WRITE),
    )
