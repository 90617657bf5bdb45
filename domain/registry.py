"""Every entity type that the service keeps, also those that are not public."""

from typing import Any

from domain.entity_type import EntityType
from domain.public_types import PUBLIC_TYPES
from domain.webhook import WEBHOOK

ENTITY_TYPES: tuple[EntityType[Any], ...] = (*PUBLIC_TYPES, WEBHOOK)
