"""Documents read in the quick way mean the same as in the strict one, or are not read in the quick way at all."""

import json
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.serialization import strict_json
from adapters.serialization.strict_json import NotJson, parse_object

KEYS = st.sampled_from(["a", "b", ":", '"', '":', "ä", "\\", " "])
SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | KEYS | st.text()
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(KEYS, SCALARS, max_size=2)
SPACE = st.sampled_from(["", " ", "\t", "\n ", "\r\n"])


@st.composite
def objects(draw: st.DrawFn) -> str:
    """Return the text of an object, in which keys may be equal and spaces stand anywhere."""
    members = draw(st.lists(st.tuples(KEYS, SPACE, SPACE, VALUES, SPACE), max_size=4))
    escaped = draw(st.booleans())
    texts = (
        f"{json.dumps(key, ensure_ascii=escaped)}{one}:{two}{json.dumps(value, ensure_ascii=escaped)}{three}"
        for key, one, two, value, three in members
    )
    return f"{draw(SPACE)}{{{','.join(texts)}}}{draw(SPACE)}"


def read(text: str) -> Any:
    """Return the object that a text holds, or why it holds none."""
    try:
        return parse_object(text)
    except NotJson as error:
        return str(error)


def typed(value: Any) -> Any:
    """Return a value with the types in it, because true is equal to 1."""
    match value:
        case dict():
            return {key: typed(each) for key, each in value.items()}
        case list():
            return [typed(each) for each in value]
        case int() | Decimal() if not isinstance(value, bool):
            return "number", value
        case _:
            return type(value), value


@given(objects() | st.text(alphabet='{}[]":,\\u0d8e1- a', max_size=20))
@example('{"a":1,"a" :2}')
@example('{"a":":","a" :2}')
@example('{"a": 1e2}')
@example('{"a": 123456789012345678901}')
@example('{"a": "\\ud800"}')
def test_the_quick_way_reads_the_same(text: str) -> None:
    """Whatever the text, it is the same object with the same types, or the same refusal."""
    quick = read(text)
    with patch.object(strict_json, "_plain_object", lambda _: None):
        assert typed(quick) == typed(read(text))


@pytest.mark.parametrize("text", ['{"a":1,"b":"x:y","c":null}', '{"a" : true}', '{"due":"2026-01-31T12:00:00Z"}'])
def test_a_plain_object_takes_the_quick_way(text: str) -> None:
    """The strict parser is not asked."""
    with patch.object(strict_json, "_DECODER", None):
        assert parse_object(text) == json.loads(text)
