"""Suggestions for an unknown name."""

from collections.abc import Collection
from difflib import get_close_matches

MAX_COMPARED = 50
"""The longest name that is compared with the known ones, in characters, because the time grows with its square."""


def unknown_field(name: str, known: Collection[str]) -> str:
    """Return the rest of the sentence "<name> …" about a field that is not `known`."""
    return f"is not a field ({suggestion(name, known)})"


def suggestion(name: str, known: Collection[str], told: Collection[str] = ()) -> str:
    """Ask whether the nearest of the `known` names was meant, if one is near, and list the names, or `told`."""
    near = get_close_matches(name.lower(), known, n=1) if len(name) <= MAX_COMPARED else []
    asked = f"did you mean {near[0]}? " if near else ""
    return f"{asked}there are {', '.join(told or known)}"
