"""A limit for one process, and a smaller one for each of its clients."""

from attrs import define, field

from adapters.http.responses.http_errors import Overloaded


@define(eq=False)
class FairShare:
    """A limit for all clients together, and one for each client. So one client alone can never take everything."""

    what: str
    most: int
    most_each: int
    taken: int = field(default=0, init=False)
    _of: dict[str, int] = field(factory=dict, init=False)

    def enter(self, client: str) -> None:
        """Take one for a client. Raises `Overloaded` if none is left, in all or for this client."""
        taken = self._of.get(client, 0)
        if self.taken >= self.most or taken >= self.most_each:
            raise Overloaded(f"there are too many {self.what}")
        self.taken += 1
        self._of[client] = taken + 1

    def take(self, client: str, amount: int = 1) -> None:
        """Take an amount, even beyond the limits."""
        self.taken += amount
        self._of[client] = self._of.get(client, 0) + amount

    def give_back(self, client: str, amount: int = 1) -> None:
        """Give back an amount."""
        self.taken -= amount
        self._of[client] -= amount
        if not self._of[client]:
            del self._of[client]

    def is_exceeded(self) -> bool:
        """Tell whether all clients together exceed the limit."""
        return self.taken > self.most

    def is_exceeded_by(self, client: str) -> bool:
        """Tell whether one client exceeds its share."""
        return self._of.get(client, 0) > self.most_each
