"""The kinds whose changes anyone may follow. A new kind is registered by its line here."""

from typing import Any

from domain.entity_type import EntityType
from domain.product import PRODUCT
from domain.task import TASK

PUBLIC_TYPES: tuple[EntityType[Any], ...] = (TASK, PRODUCT)

CHANGE_TYPES = tuple(each for entity_type in PUBLIC_TYPES for each in entity_type.change_types)
