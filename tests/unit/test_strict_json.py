"""Large documents are parsed so that other threads run meanwhile, and with the same result."""

import json
import sys
from collections import Counter
from json import JSONDecoder
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.serialization import strict_json
from adapters.serialization.strict_json import AT_ONCE, MAX_VALUES, NotJson, parse_object

NAMES = st.text(max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
)
PARTS = ["{", "}", "[", "]", ",", ":", '"a"', '"b"', "1", "-0", "01", "1.5e3", "NaN", "null", "tru", " ", "\t", "\\"]


def events(text: str) -> Counter[str]:
    """Count how often the interpreter could let another thread run while a document is parsed, by function."""
    counts: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            counts[frame.f_code.co_name] += 1

    sys.setprofile(note)
    try:
        parse_object(text)
    except NotJson:
        counts["refused"] += 1
    finally:
        sys.setprofile(None)
    return counts


def test_no_long_step() -> None:
    """A large object is parsed value by value, and an object with too many values is counted part by part."""
    large, too_large = (
        '{"x":[],' + ",".join(f'"{n:x}":true' for n in range(count)) + "}" for count in (AT_ONCE + 1, 104_000)
    )

    assert sum(events(large).values()) > AT_ONCE
    assert events(too_large)["_values"] > MAX_VALUES / 1000


def made(decoder: JSONDecoder, text: str) -> str:
    """Return what a parser makes of a text."""
    try:
        return repr(decoder.decode(text))
    except ValueError:
        return "refused"


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join) | VALUES.map(json.dumps))
@example('{"a":1٢}')
@example('{"a":1.٢}')
@example('{"a":1e٢}')
@example('{"a":-٢}')
@example('{"a":"\x01"}')
@example('{"a":"\\ud800"}')
@example('{"a":1,"a":2}')
def test_both_parsers_agree(text: str) -> None:
    """The parser for large documents accepts and refuses the same texts as the usual one, with the same values."""
    assert made(strict_json._DECODER, text) == made(strict_json._PATIENT, text)


@pytest.mark.parametrize("end", ["", '"', '"\\'])
def test_values_are_counted_outside_of_texts(end: str) -> None:
    """Commas in texts are no values, also where there are many texts, and also where the last has no end."""
    texts = ",".join(['"a,,[{\\",\\\\"'] * 2500)

    assert 2500 == strict_json._values_outside_texts(f'{{"a":{texts}}}{end}{"," * 9 if end else ""}')
