"""The kinds of entity that this service keeps. A new kind is registered by its line here."""

from typing import Any

from backroom.domain.kinds import Kind
from backroom.domain.product import PRODUCT
from backroom.domain.task import TASK

KINDS: tuple[Kind[Any], ...] = (TASK, PRODUCT)
