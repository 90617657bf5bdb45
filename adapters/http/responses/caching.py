"""Who may cache a response, and for how long (RFC 9111): one policy for each operation, `NEVER` for all others."""

from hashlib import blake2b

from adapters.http.responses.responses import Header

NEVER = b"no-store"
"""Nobody may cache it: an error, the response to a write, or a fact of this moment."""

PRIVATE = b"private, no-cache"
"""The caller's own cache may keep it, and must revalidate it by its etag before each use."""

PUBLIC = b"no-cache"
"""The same for every caller, so a shared cache may keep it too."""

FOREVER = b"public, max-age=31536000, immutable"
"""The content of this URL never changes."""

STATUSES = frozenset((200, 206, 304, 307, 308))
"""The statuses that a policy applies to; all others are errors."""


def etag_of_content(content: bytes) -> bytes:
    """Return a weak etag of content. It covers the whole content, whatever its encoding."""
    return b'W/"%b"' % blake2b(content, digest_size=12).hexdigest().encode()


def settled(headers: list[Header], *, by_origin: bool) -> list[Header]:
    """Return headers with what caches need: who may keep the response, and which request headers it depends on.

    Vary is one line, because some caches read only its last line.
    """
    named = dict(headers)
    vary = named.get(b"vary", b"Accept, Accept-Encoding") + (b", Origin" if by_origin else b"")
    kept = [header for header in headers if header[0] != b"vary"] if b"vary" in named else headers
    policy = () if b"cache-control" in named else ((b"cache-control", NEVER),)
    return [*kept, *policy, (b"vary", vary)]
