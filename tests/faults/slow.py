"""A command that keeps the writer busy."""

import threading
from datetime import datetime
from typing import Any

from attrs import frozen

from domain.state import State
from domain.task import TASK
from tests.builders import create


@frozen
class Slow:
    """A command whose decision waits for an event."""

    begun: threading.Event
    let_go: threading.Event
    entity_type = TASK
    id = None
    needs_deleted = False

    def decide(self, current: State, at: datetime) -> Any:
        """Wait, then create a task."""
        self.begun.set()
        self.let_go.wait()
        return create(TASK).decide(current, at)
