"""How much a caller may do. Each scope includes those before it."""

from enum import Enum


class AccessScope(Enum):
    """What a key allows."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def __init__(self, _: str) -> None:
        self.rank = len(type(self).__members__)

    def includes(self, needed: "AccessScope") -> bool:
        """Tell whether this scope includes another one."""
        return self.rank >= needed.rank
