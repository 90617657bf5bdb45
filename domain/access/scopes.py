"""How much a caller may do. Each scope includes those before it."""

from enum import Enum


class AccessScope(Enum):
    """What a key is good for."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def includes(self, needed: "AccessScope") -> bool:
        """Tell whether whoever has this scope may do what needs another one."""
        return _RANKS[self] >= _RANKS[needed]


_RANKS = {scope: rank for rank, scope in enumerate(AccessScope)}
