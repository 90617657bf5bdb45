"""Who may cache a response, and for how long (RFC 9111): one policy for each operation, `NEVER` for all others."""

from functools import lru_cache
from hashlib import blake2b

from adapters.http.responses.responses import Header
from adapters.http.responses.security_headers import OF_EVERYTHING

NEVER = b"no-store"
"""Nobody may cache it: an error, the response to a write, or a fact of this moment."""

PRIVATE = b"private, no-cache"
"""The caller's own cache may keep it, and must revalidate it by its etag before each use."""

PUBLIC = b"no-cache"
"""The same for every caller, so a shared cache may keep it too."""

FOREVER = b"public, max-age=31536000, immutable"
"""The content of this URL never changes."""

VARY = b"Accept, Accept-Encoding"
"""The headers of a request that a response may depend on."""

STATUSES = frozenset((200, 206, 304, 307, 308))
"""The statuses that a policy applies to; all others are errors."""


def etag_of_content(content: bytes) -> bytes:
    """Return a weak etag of content. It covers the whole content, whatever its encoding."""
    return b'W/"%b"' % blake2b(content, digest_size=12).hexdigest().encode()


@lru_cache(16)  # there are few different ones
def common_headers(policy: bytes, vary: bytes) -> tuple[Header, ...]:
    """Return the headers that every response has: who may keep it, what it depends on, what a browser may do."""
    return ((b"cache-control", policy), (b"vary", vary), *OF_EVERYTHING)
