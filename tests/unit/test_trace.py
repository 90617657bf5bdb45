"""Traces: what the headers of W3C Trace Context may say, and what is carried on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.trace import MAX_STATE, TraceContext

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{ID}-{SPAN}-01"
HEX = "0123456789abcdef"

GOOD = [PARENT, f"00-{ID}-{SPAN}-00", f"00-{ID}-{SPAN}-ff", f"01-{ID}-{SPAN}-01", f"fe-{ID}-{SPAN}-01-what-comes-later"]
BAD = [
    "",
    "00",
    PARENT.upper(),
    f" {PARENT}",
    f"{PARENT} ",
    f"{PARENT}\n",
    f"{PARENT}-",
    f"{PARENT}-more",
    f"{PARENT}, {PARENT}",
    f"ff-{ID}-{SPAN}-01",
    f"01-{ID}-{SPAN}-01.more",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{ID}-{'0' * 16}-01",
    f"00-{ID[1:]}-{SPAN}-01",
    f"00-{ID}-{SPAN}0-01",
    f"00-{ID}-{SPAN}-1",
    f"00-{ID}-{SPAN}-0g",
    f"00-{'٣' * 32}-{SPAN}-01",
]
GOOD_STATES = ["a=b", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=b, ,\tc@d=e ", "1/x*y_z-=!~", f"a={'x' * 256}"]
BAD_STATES = ["a", "=b", "a=", "A=b", "a=b,a=c", "a=b=c", "a=ü", "a=b\n", "-a=b", f"a={'x' * 257}", f"{'k' * 257}=a"]


@pytest.mark.parametrize("parent", GOOD)
def test_good_parents(parent: str) -> None:
    """A valid parent is read, of a later version too as far as this one goes."""
    found = TraceContext.parse(parent)
    assert found is not None
    assert (ID, SPAN, "00" + parent[2:55]) == (found.trace_id, found.parent_id, found.parent)


@pytest.mark.parametrize("parent", BAD)
def test_bad_parents(parent: str) -> None:
    """An invalid parent is no trace."""
    assert TraceContext.parse(parent, "a=b") is None


@pytest.mark.parametrize("state", GOOD_STATES)
def test_good_states(state: str) -> None:
    """A valid state is carried on as it was sent."""
    found = TraceContext.parse(PARENT, state)
    assert found is not None
    assert {"traceparent": f"00-{ID}-b7ad6b7169203331-01", "tracestate": state} == found.headers("b7ad6b7169203331")


@pytest.mark.parametrize(
    "state", [*BAD_STATES, ",".join(f"k{n}=v" for n in range(33)), f"a=b,{'c=' + 'x' * MAX_STATE}", "", ", ,"]
)
def test_bad_states(state: str) -> None:
    """An invalid or long state is left out, and the trace goes on."""
    found = TraceContext.parse(PARENT, state)
    assert found is not None
    assert {"traceparent"} == found.headers("b7ad6b7169203331").keys()


IDS = st.text(HEX, min_size=32, max_size=32).filter(lambda text: text.strip("0"))
SPANS = st.text(HEX, min_size=16, max_size=16).filter(lambda text: text.strip("0"))


@given(id=IDS, span=SPANS, flags=st.text(HEX, min_size=2, max_size=2), state=st.sampled_from(["", *GOOD_STATES]))
def test_it_is_stored_as_it_is(id: str, span: str, flags: str, state: str) -> None:
    """The text of a trace has all of it."""
    found = TraceContext.parse(f"00-{id}-{span}-{flags}", state)
    assert found is not None
    assert found == TraceContext.stored(found.text) == TraceContext(id, span, flags, state)
