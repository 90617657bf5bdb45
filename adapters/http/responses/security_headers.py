"""What tells a browser to take an answer for nothing but what it is."""

from adapters.http.responses.responses import Header

OF_EVERYTHING: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))

OF_PAGES: Header = (
    b"content-security-policy",
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    b" form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
)
"""A page runs scripts of this service alone, talks to it alone, and is shown in no other page."""
