"""Every kind of entity that this service keeps, also those that are nobody's business but their owner's."""

from typing import Any

from domain.kinds import Kind
from domain.published import PUBLISHED
from domain.webhook import WEBHOOK

KINDS: tuple[Kind[Any], ...] = (*PUBLISHED, WEBHOOK)
