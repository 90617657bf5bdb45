"""The limits of one process, and the share of each client in them."""

from collections import Counter

from attrs import define, field

from adapters.http.fairness.fair_share import FairShare
from adapters.http.fairness.heavy_work import HeavyWork
from adapters.http.fairness.pending_bodies import PendingBodies
from adapters.http.fairness.turns import Turns

MOST_AT_WORK, MOST_AT_WORK_EACH = 2000, 1000
MOST_FOLLOWERS, MOST_FOLLOWERS_EACH = 4000, 2000


@define(eq=False)
class Capacity:
    """The limits of one process. A request that waits for a body or a change is counted apart from those at work."""

    turns: Turns = field(factory=Turns)
    heavy_work: HeavyWork = field(factory=HeavyWork)
    bodies: PendingBodies = field(factory=PendingBodies)
    at_work: FairShare = field(factory=lambda: FairShare("requests at work", MOST_AT_WORK, MOST_AT_WORK_EACH))
    followers: FairShare = field(
        factory=lambda: FairShare("requests that wait for changes", MOST_FOLLOWERS, MOST_FOLLOWERS_EACH)
    )

    following: Counter[str] = field(factory=Counter)
    """How many follow now, by kind."""

    def follow(self, kind: str, client: str) -> None:
        """Count a client among those that wait for changes. Raises `Overloaded`."""
        self.followers.enter(client)
        self.following[kind] += 1

    def unfollow(self, kind: str, client: str) -> None:
        """Count it no longer."""
        self.following[kind] -= 1
        self.followers.give_back(client)
