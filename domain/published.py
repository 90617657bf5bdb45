"""The kinds whose changes anyone may follow. A new kind is registered by its line here."""

from typing import Any

from domain.kinds import Kind
from domain.product import PRODUCT
from domain.task import TASK

PUBLISHED: tuple[Kind[Any], ...] = (TASK, PRODUCT)

CHANGE_TYPES = tuple(each for kind in PUBLISHED for each in kind.change_types)
