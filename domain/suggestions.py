"""What somebody may have meant by a name that is not known."""

from collections.abc import Collection
from difflib import get_close_matches

MAX_COMPARED = 50
"""Characters of a name that is compared with those known: the time that this takes grows with their square."""


def unknown_field(name: str, known: Collection[str]) -> str:
    """Return the rest of the sentence "<name> …" about a field that is none of those `known`."""
    return f"is not a field ({suggestion(name, known)})"


def suggestion(name: str, known: Collection[str], told: Collection[str] = ()) -> str:
    """Ask whether the nearest of the names `known` was meant, if one is near, and say which there are, or `told`."""
    near = get_close_matches(name.lower(), known, n=1) if len(name) <= MAX_COMPARED else []
    asked = f"did you mean {near[0]}? " if near else ""
    return f"{asked}there are {', '.join(told or known)}"
