"""Every entity type that the service keeps, also those that are not public."""

from domain.entity_type import Entity, EntityType
from domain.public_types import PUBLIC_TYPES
from domain.webhook import WEBHOOK

ENTITY_TYPES: tuple[EntityType[Entity], ...] = (*PUBLIC_TYPES, WEBHOOK)
