"""The rules of a URL that the service may call."""

import pytest

from domain.urls import MAX_HOST_LENGTH, MAX_URL_LENGTH, check_host, check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "HTTP://EXAMPLE.COM:80/Hook",
        "http://localhost:8000/hook",
        "https://my_host/",
        "https://xn--bcher-kva.example/",
        "https://192.0.2.1:65535/",
        "https://[2001:db8::1]:8443/a/b;c?d=e&f=%20#g",
        "https://example.com:/",
        "https://example.com?query",
        "https://example.com/größe",
        "https://example.com/#@127.0.0.1/",
        "https://example.com/" + "a" * (MAX_URL_LENGTH - 20),
    ],
)
def test_a_good_url_has_nothing_against_it(url: str) -> None:
    """Whatever names a host in one plain way may be called, with or without a port, a path, a query or a fragment."""
    assert None is check_url(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.com/" + "a" * (MAX_URL_LENGTH - 19), "must have at most 2,000 characters"),
        ("https://example.com/a b", "must not contain white space, control characters or backslashes"),
        ("https://example.com/\u2028", "must not contain white space, control characters or backslashes"),
        ("https://example.com/\x85", "must not contain white space, control characters or backslashes"),
        ("\thttps://example.com/", "must not contain white space, control characters or backslashes"),
        ("https://exam\nple.com/", "must not contain white space, control characters or backslashes"),
        ("https://example.com/\x7f", "must not contain white space, control characters or backslashes"),
        ("https://example.com/\ud800", "must not contain white space, control characters or backslashes"),
        ("https://127.0.0.1\\.example.com/", "must not contain white space, control characters or backslashes"),
        ("https://[::1/", "must be a URL"),
        ("https://example.com\uff03@127.0.0.1/", "must be a URL"),
        ("", "must begin with https:// or http://"),
        ("example.com/hook", "must begin with https:// or http://"),
        ("//example.com/hook", "must begin with https:// or http://"),
        ("ftp://example.com/", "must begin with https:// or http://"),
        ("file:///etc/passwd", "must begin with https:// or http://"),
        ("https://user@example.com/", "must not name a user"),
        ("https://:password@example.com/", "must not name a user"),
        ("https://@example.com/", "must not name a user"),
        ("https:///hook", "must name a host and may name a port, such as https://example.com:8443/"),
        ("https:example.com", "must name a host and may name a port, such as https://example.com:8443/"),
        ("https://:443/", "must name a host and may name a port, such as https://example.com:8443/"),
        ("https://::1/", "must name a host and may name a port, such as https://example.com:8443/"),
        ("https://[::1]evil/", "must name a host and may name a port, such as https://example.com:8443/"),
        ("https://example.com:+80/", "must name a host and may name a port, such as https://example.com:8443/"),
        ("https://example.com:\uff180/", "must name a host and may name a port, such as https://example.com:8443/"),
        ("https://example.com:0/", "must have a port from 1 to 65535"),
        ("https://example.com:65536/", "must have a port from 1 to 65535"),
        ("https://[fe80::1%25eth0]/", "must have an IPv6 address without a zone between its brackets"),
        ("https://1.2.3/", "must have an IPv4 address as four decimal numbers, such as 192.0.2.1"),
    ],
)
def test_a_bad_url_is_told_what_is_wrong(url: str, reason: str) -> None:
    """Each rule that a URL breaks has a reason that completes a sentence."""
    assert reason == check_url(url)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.01",
        "127.0.0.0x1",
        "127.0.0.0x",
        "127.0.0.1.",
        "1.2.3.4.5",
        "256.1.1.1",
        "017700000001",
    ],
)
def test_an_address_has_one_spelling(host: str) -> None:
    """Whatever a resolver might read as an IPv4 address is refused unless it is four decimal numbers."""
    assert "must have an IPv4 address as four decimal numbers, such as 192.0.2.1" == check_host(host)


@pytest.mark.parametrize("host", ["①②⑦.0.0.1", "127。0。0。1", "bücher.example", "\uff11\uff12\uff17.0.0.1"])
def test_a_host_is_ascii(host: str) -> None:
    """No digit or dot of Unicode can stand for another, because none is taken."""
    assert "must have a host in ASCII: an international name in its xn-- form" == check_host(host)


@pytest.mark.parametrize("host", ["::1", "2001:db8::192.0.2.1", "192.0.2.1", "1.example", "a-b.c_d", "0x7f.example"])
def test_plain_hosts_may_stand(host: str) -> None:
    """Names and addresses in their usual spelling are taken."""
    assert None is check_host(host)


@pytest.mark.parametrize("host", ["::g", "fe80::1%eth0", "[::1]", "1:2", "::127.1"])
def test_an_ipv6_address_has_no_zone_and_no_brackets(host: str) -> None:
    """A zone names a network card of this machine, which no one outside has to choose."""
    assert "must have an IPv6 address without a zone between its brackets" == check_host(host)


@pytest.mark.parametrize(
    "host",
    ["", ".", "example.com.", "localhost.", ".example.com", "a..b", "a%2eb", "a/b", "a" * 64, "a*b", "a" + ".b" * 127],
)
def test_a_name_is_made_of_labels(host: str) -> None:
    """A name is labels of 1 to 63 letters, digits and hyphens with single dots between them, 253 characters in all."""
    assert "must have a host name of letters, digits and hyphens, with single dots only inside" == check_host(host)


def test_the_longest_name_may_stand() -> None:
    """A name may be as long as the DNS allows."""
    longest = "a" + ".b" * ((MAX_HOST_LENGTH - 1) // 2)
    assert (MAX_HOST_LENGTH, None) == (len(longest), check_host(longest))
