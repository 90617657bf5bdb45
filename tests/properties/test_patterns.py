"""The OpenAPI document describes exactly the texts that the rules accept."""

import re

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from adapters.http.openapi.patterns import amount_pattern, text_pattern
from adapters.http.openapi.schemas import field_type_schema
from domain.field_types import FieldType, String, Url, ValidationError
from domain.parsing import json_value
from domain.product import PRODUCT
from domain.registry import ENTITY_TYPES
from domain.text import INVISIBLE_BEYOND, WHITE_SPACE

RULES = {
    f"{entity_type.name}.{each.name}": evolve(
        each.field_type, least=min(each.field_type.least, 1)
    )  # the pattern leaves lengths alone
    for entity_type in ENTITY_TYPES
    for each in entity_type.fields
    if isinstance(each.field_type, String) and not isinstance(each.field_type, Url)
} | {"lines": String(1, 200, lines=True)}
TELLING = "aZ.9-_ä😀\r\n\t\x00\x1f\x7f\x85\xa0\u2028\u2029\u3000\u200b\ufeff"
is_tellable = re.compile(f"[^{INVISIBLE_BEYOND}]").fullmatch
texts = st.text(
    st.sampled_from(TELLING + WHITE_SPACE) | st.characters(exclude_categories=["Cs"]).filter(is_tellable), max_size=12
)


def takes(field_type: FieldType, text: str) -> bool:
    """Tell whether a rule takes a text."""
    try:
        json_value(field_type, text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", RULES)
@given(text=texts)
@example(text="")
@example(text="\r\n")
@example(text="a\r\nb\r")
@example(text="\ufeff")
@example(text=" \u200b \ufeffa\u200b ")
@example(text="\u200b\r\n\ta")
def test_text(name: str, text: str) -> None:
    """A text of a length that nobody minds is taken exactly where it matches."""
    field_type = RULES[name]

    assert takes(field_type, text) == (re.search(text_pattern(field_type), text) is not None)


def test_invisible_beyond_the_first_plane() -> None:
    """A pattern cannot tell those characters, so it matches what the service refuses as blank."""
    field_type = RULES["task.title"]
    assert not takes(field_type, "\U000e0001")
    assert re.search(text_pattern(field_type), "\U000e0001") is not None


@given(text=st.text("0123456789.-", max_size=14) | st.decimals(-(10**9), 10**10, places=2).map(str))
@example(text="0000999999999.99")
def test_amount(text: str) -> None:
    """An amount as text is taken exactly where it matches."""
    field_type = PRODUCT.by_name["price"].field_type

    assert takes(field_type, text) == (re.search(amount_pattern(10**9 - 1), text) is not None)


@pytest.mark.parametrize("name", RULES)
def test_length_is_that_of_the_trimmed_text(name: str) -> None:
    """Trimmed characters do not count, so the schema of a request does not refuse them."""
    field_type = RULES[name]
    longest = f"  {'a' * field_type.most} "

    assert takes(field_type, longest)
    Draft202012Validator(field_type_schema(field_type, sent=True)).validate(longest)
    assert "maxLength" in field_type_schema(field_type)
