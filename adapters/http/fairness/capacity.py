"""What one process does at once, and how its clients share it."""

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

from adapters.http.fairness.fair_share import FairShare
from adapters.http.fairness.pending_bodies import PendingBodies
from adapters.http.fairness.turns import Turns

MOST_AT_WORK, MOST_AT_WORK_EACH = 2000, 1000
MOST_FOLLOWERS, MOST_FOLLOWERS_EACH = 4000, 2000


@define(eq=False)
class Capacity:
    """The bounds of one process. Who waits for a body or for a change is not at work, and is counted apart."""

    turns: Turns = field(factory=Turns)
    bodies: PendingBodies = field(factory=PendingBodies)
    at_work: FairShare = field(factory=lambda: FairShare("requests at work", MOST_AT_WORK, MOST_AT_WORK_EACH))
    followers: FairShare = field(
        factory=lambda: FairShare("requests that wait for changes", MOST_FOLLOWERS, MOST_FOLLOWERS_EACH)
    )

    @contextmanager
    def following(self, client: str) -> Iterator[None]:
        """Count a client among those who wait for changes. Raises `Overloaded`."""
        self.followers.enter(client)
        try:
            yield
        finally:
            self.followers.give_back(client)
