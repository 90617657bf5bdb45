"""Headers that keep a browser from guessing the type of a response, and limit what a page may do."""

from adapters.http.responses.responses import Header

OF_EVERYTHING: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))

OF_PAGES: Header = (
    b"content-security-policy",
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    b" form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
)
"""A page loads scripts of this service only, talks to this service only, and no other page may frame it."""
