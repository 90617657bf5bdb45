"""The entity types whose changes every reader may follow. One line here registers a new type."""

from collections.abc import Iterable

from domain.entity_type import Entity, EntityType
from domain.product import PRODUCT
from domain.task import TASK

PUBLIC_TYPES: tuple[EntityType[Entity], ...] = (TASK, PRODUCT)

CHANGE_TYPES = tuple(each for entity_type in PUBLIC_TYPES for each in entity_type.change_types)


def followed(types: Iterable[str]) -> frozenset[str]:
    """Return the types that a follower of `types` gets: `created` includes `restored`.

    A restore once had the type `created`. Clients that asked for `created` then, or keep a copy, must not miss it.
    """
    asked = frozenset(types)
    return asked | {each.replace(".created", ".restored") for each in asked}
