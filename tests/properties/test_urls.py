"""A URL that passes the rules means the same to every parser on its way to a connection."""

import re
from urllib.parse import urlsplit

import httpx2
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.openapi.patterns import SENT_URL, URL
from domain.text import WHITE_SPACE
from domain.urls import MAX_URL_LENGTH, check_host, check_url

PIECES = [
    *(
        "http:",
        "https:",
        "HTTP:",
        "//",
        "/",
        "\\",
        "?",
        "#",
        "@",
        ":",
        "[",
        "]",
        "%",
        "%25",
        "%2e",
        ".",
        "..",
        ";",
        "&",
    ),
    *(
        "example.com",
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "localhost",
        "::1",
        "[::1]",
        "fe80::1%eth0",
        "xn--a",
        "xn--bcher-kva",
    ),
    *(
        "80",
        "443",
        "0",
        "65536",
        "user",
        "é",
        "①",
        "。",
        "\uff03",
        "\u2028",
        "\t",
        " ",
        "\x00",
        "\ud800",
        "a",
        "-",
        "_",
    ),
]
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.tuples(
        st.sampled_from(["http://", "https://"]),
        st.sampled_from(["example.com", "192.0.2.1", "[2001:db8::1]", "a.b"]),
        st.sampled_from(["", ":", ":8080", ":00080"]),
        st.sampled_from(["", "/", "?", "#"]),
        st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=8).map("".join),
    ).map("".join),
    st.text(),
)


@given(texts)
def test_the_client_reads_a_good_url_as_it_was_checked(text: str) -> None:
    """Scheme, host and port are the same to the standard library and to the client, which sends no user or fragment."""
    if check_url(text) is not None:
        return
    checked, read = urlsplit(text), httpx2.URL(text)
    assert (checked.scheme, checked.hostname) == (read.scheme, read.raw_host.decode("ascii"))
    assert checked.port in {read.port, {"http": 80, "https": 443}[read.scheme]}
    assert b"" == read.userinfo
    assert b"#" not in read.raw_path
    assert None is check_host(read.raw_host.decode("ascii"))


@given(texts)
def test_every_text_is_answered(text: str) -> None:
    """No text at all makes the rules fail in any other way than by a reason."""
    reason = check_url(text)
    assert reason is None or reason.startswith("must ")
    assert not (reason is None and len(text) > MAX_URL_LENGTH)


@given(st.text(st.sampled_from(WHITE_SPACE), max_size=3), texts)
def test_what_is_documented_of_urls_holds(around: str, text: str) -> None:
    """Each URL that is taken matches, as it is sent and as it is kept."""
    if check_url(text) is None:
        assert re.search(SENT_URL, around + text + around)
        assert re.search(URL, text)
