"""The form of a URL that the service may call. Only the call itself shows whether its host is allowed.

More than one parser reads a URL on its way to a connection. If two parsers read it differently, an attacker can make it
name two hosts. So the host must have a form that every parser reads alike.
"""

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

MAX_URL_LENGTH = 2000  # characters
MAX_HOST_LENGTH = 253  # characters of a name in the DNS, RFC 1035

# Browsers read a backslash as a slash, others as a part of the host. \s covers every white space of Unicode.
_FORBIDDEN = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_AUTHORITY = re.compile(r"(?:\[(?P<six>[^\[\]]*:[^\[\]]*)\]|(?P<name>[^\[\]:]+))(?::(?P<port>[0-9]{0,5}))?")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
# What the URL Standard (url.spec.whatwg.org, "ends in a number") and inet_aton take for an IPv4 address.
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")


def check_url(text: str) -> str | None:
    """Return why `text` is no URL that the service may call, completing the sentence "<field> …"; None when it is one.

    Such a URL is `https:` or `http:`, and has at most 2,000 characters and a host that `check_host` passes. It has no
    user, white space, control character or backslash. It may have a fragment, which is never sent.
    """
    if len(text) > MAX_URL_LENGTH:
        return f"must have at most {MAX_URL_LENGTH:,} characters"
    if _FORBIDDEN.search(text):
        return "must not contain white space, control characters or backslashes"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "must be a URL"
    if parts.scheme not in {"https", "http"}:
        return "must begin with https:// or http://"
    return _check_authority(parts.netloc)


def _check_authority(authority: str) -> str | None:
    if "@" in authority:
        return "must not name a user"
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return "must name a host and may name a port, such as https://example.com:8443/"
    if match["port"] and not 1 <= int(match["port"]) <= 65_535:
        return "must have a port from 1 to 65535"
    return check_host(match["six"] or match["name"])


def check_host(host: str) -> str | None:
    """Return why `host` may not stand in a URL, completing the sentence "<field> …"; None when it may.

    It may be a name in ASCII without a dot at its end, an IPv4 address as four decimal numbers, or an IPv6 address
    without brackets and zone. Every other spelling of an address, such as `127.1`, `0x7f.1` or `2130706433`, is
    refused: resolvers read it, each in its own way.
    """
    if ":" in host:
        return None if _is_ipv6(host) else "must have an IPv6 address without a zone between its brackets"
    if not host.isascii():
        return "must have a host in ASCII: an international name in its xn-- form"
    if _ENDS_IN_NUMBER.fullmatch(host):
        return None if _is_ipv4(host) else "must have an IPv4 address as four decimal numbers, such as 192.0.2.1"
    if len(host) > MAX_HOST_LENGTH or not _NAME.fullmatch(host):
        return "must have a host name of letters, digits and hyphens, with single dots only inside"
    return None


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _is_ipv6(host: str) -> bool:
    try:
        return IPv6Address(host).scope_id is None
    except ValueError:
        return False
