"""The kinds whose changes anyone may follow. A new kind is registered by its line here."""

from collections.abc import Iterable
from typing import Any

from domain.entity_type import EntityType
from domain.product import PRODUCT
from domain.task import TASK

PUBLIC_TYPES: tuple[EntityType[Any], ...] = (TASK, PRODUCT)

CHANGE_TYPES = tuple(each for entity_type in PUBLIC_TYPES for each in entity_type.change_types)


def followed(types: Iterable[str]) -> frozenset[str]:
    """Return the types that whoever asked for `types` follows: with what is created comes what is restored.

    A restore was a creation once, and who asked for creations then, or keeps a copy, must not miss what comes back.
    """
    asked = frozenset(types)
    return asked | {each.replace(".created", ".restored") for each in asked}
