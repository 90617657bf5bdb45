"""What the OpenAPI document says of text is what the rules take."""

import re

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from adapters.http.patterns import amount_pattern, text_pattern
from adapters.http.schemas import rule_schema
from domain.catalogue import KINDS
from domain.product import PRODUCT
from domain.rules import Refused, Rule, Text, Url
from domain.text import WHITE_SPACE

RULES = {
    f"{kind.name}.{each.name}": evolve(each.rule, least=min(each.rule.least, 1))  # the pattern leaves lengths alone
    for kind in KINDS
    for each in kind.fields
    if isinstance(each.rule, Text) and not isinstance(each.rule, Url)
}
TELLING = "aZ.9-_ä😀\r\n\t\x00\x1f\x7f\x85\xa0\u2028\u2029\u3000\u200b\ufeff"
texts = st.text(st.sampled_from(TELLING + WHITE_SPACE) | st.characters(exclude_categories=["Cs"]), max_size=12)


def takes(rule: Rule, text: str) -> bool:
    """Tell whether a rule takes a text."""
    try:
        rule.check(text)
    except Refused:
        return False
    return True


@pytest.mark.parametrize("name", RULES)
@given(text=texts)
@example(text="")
@example(text="\r\n")
@example(text="a\r\nb\r")
def test_text(name: str, text: str) -> None:
    """A text of a length that nobody minds is taken exactly where it matches."""
    rule = RULES[name]

    assert takes(rule, text) == (re.search(text_pattern(rule), text) is not None)


@given(text=st.text("0123456789.-", max_size=14) | st.decimals(-(10**9), 10**10, places=2).map(str))
@example(text="0000999999999.99")
def test_amount(text: str) -> None:
    """An amount as text is taken exactly where it matches."""
    rule = PRODUCT.by_name["price"].rule

    assert takes(rule, text) == (re.search(amount_pattern(10**9 - 1), text) is not None)


@pytest.mark.parametrize("name", RULES)
def test_length_is_that_of_the_trimmed_text(name: str) -> None:
    """What is trimmed away does not count, so the schema of what may be sent does not refuse it."""
    rule = RULES[name]
    longest = f"  {'a' * rule.most} "

    assert takes(rule, longest)
    Draft202012Validator(rule_schema(rule, sent=True)).validate(longest)
    assert "maxLength" in rule_schema(rule)
