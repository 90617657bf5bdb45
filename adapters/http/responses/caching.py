"""Who may keep an answer, and for how long (RFC 9111): one policy for each operation, and `NEVER` for all else."""

from hashlib import blake2b

from adapters.http.responses.responses import Header

NEVER = b"no-store"
"""Nobody keeps it: a refusal, the answer to a write, or what is true at this moment only."""

PRIVATE = b"private, no-cache"
"""Who asked may keep it, and asks before each use whether it is still so, by its tag."""

PUBLIC = b"no-cache"
"""The same for everybody, so that a shared cache may keep it too."""

FOREVER = b"public, max-age=31536000, immutable"
"""The content of this URL never changes."""

STATUSES = frozenset((200, 206, 304, 307, 308))
"""Answers that a policy is for; others are refusals."""


def etag_of_content(content: bytes) -> bytes:
    """Return a weak tag of content, which covers all that it shows, however it is encoded."""
    return b'W/"%b"' % blake2b(content, digest_size=12).hexdigest().encode()


def settled(headers: list[Header], *, by_origin: bool) -> list[Header]:
    """Return headers with what caches need to know: who may keep the answer, and on what of a request it depends.

    In one line, because some caches look at the last one alone.
    """
    named = dict(headers)
    vary = named.get(b"vary", b"Accept, Accept-Encoding") + (b", Origin" if by_origin else b"")
    kept = [header for header in headers if header[0] != b"vary"] if b"vary" in named else headers
    policy = () if b"cache-control" in named else ((b"cache-control", NEVER),)
    return [*kept, *policy, (b"vary", vary)]
