"""Lists in headers, as RFC 9110 has them."""

import pytest

from adapters.http.requests.header_lists import accepts_coding, entity_tags, members, parsed


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        (" , ,\t,", []),
        ("a,b , c", ["a", "b", "c"]),
        ('a="x,y", b', ['a="x,y"', "b"]),
        (r'a="x\",y", b', [r'a="x\",y"', "b"]),
        ('a="x, b', ['a="x, b']),
        ('a="x\\', ['a="x\\']),
        ('", "', ['", "']),
    ],
)
def test_members(header: str, expected: list[str]) -> None:
    """A comma divides a list, but not within quotes; what is empty is no member; a quote without end takes the rest."""
    assert expected == members(header)


def test_names_and_parameters() -> None:
    """Names count without their case and the space around them, values without their quotes; the first one counts."""
    first, second = parsed('Text/HTML ; Charset="UTF-8";q=0.5;Q=1 , b;x="a\\"b;c";y')
    assert ("text/html", {"charset": "UTF-8", "q": "0.5"}, 0.5) == (first.name, first.parameters, first.weight)
    assert ("b", {"x": 'a"b;c', "y": ""}, 1.0) == (second.name, second.parameters, second.weight)


@pytest.mark.parametrize("weight", ["", "nan", "-1", "1.001", "2", "0.0001", ".5", "1e0"])
def test_what_is_no_weight(weight: str) -> None:
    """A weight that is none rules out what it stands at."""
    (member,) = parsed(f"a;q={weight}")
    assert 0.0 == member.weight


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        (None, True),
        ("", False),
        ("gzip", True),
        ("GZip", True),
        ("x-gzip", True),
        ("*", True),
        ("br, gzip;q=0.001", True),
        ("deflate, *;q=0.1", True),
        ("identity;q=0, gzip", True),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("notgzip", False),
        ("gzipped", False),
        ("gzip;q=0", False),
        ("gzip; Q = 0.000", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("identity, gzip;q=0.5", False),
        ('x;y=", gzip"', False),
        ("gzip;q=5", False),
    ],
)
def test_codings(header: str | None, takes: bool) -> None:
    """A coding is taken where its whole name, or a star, has a weight that is not less than that of no coding."""
    assert takes == accepts_coding(header, "gzip")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('"1"', ['"1"']),
        (' W/"1" ,, "a,b"', ['"1"', '"a,b"']),
        ('""', ['""']),
        ('"1""2"', None),
        ('"1" "2"', None),
        ("1", None),
        ("", None),
        ('w/"1"', None),
        ('"a b"', None),
        ('*, "1"', None),
    ],
)
def test_entity_tags(header: str, expected: list[str] | None) -> None:
    """Tags stand between commas, or it is no list of tags."""
    assert expected == entity_tags(header)


@pytest.mark.parametrize("header", ['"\\' * 16_000, ",;" * 16_000, '"' * 32_000, '"",' * 10_000 + "x", ", " * 16_000])
def test_long_headers_are_read_once(header: str) -> None:
    """The time to read a header grows only with its length: the longest one is read, and this test ends."""
    assert len(header) >= sum(map(len, members(header)))
    assert len([*parsed(header)]) == len(members(header))
    assert entity_tags(header) is None
