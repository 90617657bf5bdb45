"""Filters as text, for whoever reads them: lists over HTTP, and commands."""

from datetime import date
from typing import Any

import pytest

from domain.entity_type import EntityType
from domain.errors import BadParameter, DomainError, ParameterOutOfRange
from domain.filters import Filters, filters
from domain.product import PRODUCT
from domain.public_types import PUBLIC_TYPES
from domain.queries import Condition, Operator
from domain.task import TASK, Status


def test_text_becomes_conditions() -> None:
    """Filters are joined by &, may be encoded as in a URL, and keep their order."""
    title, status, due = (TASK.by_name[name] for name in ("title", "status", "due"))
    assert Filters(TASK).parse("title=a+b%26c&status[in]=done,pending&due[lte]=2026-12-31&due[null]=false") == (
        Condition(title, Operator.EQ, "a b&c"),
        Condition(status, Operator.IN, (Status.DONE, Status.PENDING)),
        Condition(due, Operator.LTE, date(2026, 12, 31)),
        Condition(due, Operator.NULL, False),
    )
    assert () == Filters(TASK).parse("")


@pytest.mark.parametrize(
    ("entity_type", "text", "error", "said"),
    [
        (
            TASK,
            "statuss=done",
            BadParameter,
            "unknown parameter 'statuss' (did you mean status? there are id, version,",
        ),
        (TASK, "limit=1", BadParameter, "unknown parameter 'limit' (there are id, version,"),
        (TASK, "status=open", BadParameter, "status must be one of pending, in_progress, done, cancelled, not 'open'"),
        (TASK, "status=done&status=done", BadParameter, "parameter status is repeated"),
        (TASK, "title=%ff", BadParameter, "the query is not UTF-8"),
        (TASK, "due[null]=1", BadParameter, "due[null] must be true or false"),
        (PRODUCT, "id=9223372036854775808", ParameterOutOfRange, "id must be from -9223372036854775807 to"),
    ],
)
def test_what_is_wrong_is_told(entity_type: EntityType[Any], text: str, error: type[DomainError], said: str) -> None:
    """The error names the filter, and what would be right."""
    with pytest.raises(error) as refused:
        Filters(entity_type).parse(text)
    assert said == str(refused.value)[: len(said)]


@pytest.mark.parametrize("entity_type", PUBLIC_TYPES, ids=repr)
def test_every_listed_field_has_every_operator(entity_type: EntityType[Any]) -> None:
    """A field that can be sorted by can be filtered by, with each operator."""
    listed = {field for field in entity_type.fields if field.listed}
    assert {(field, operator) for field in listed for operator in Operator} == {
        (field, operator) for _, field, operator in filters(entity_type)
    }
