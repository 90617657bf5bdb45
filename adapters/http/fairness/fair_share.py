"""How much there may be of something in one process, and how much of that one client may have."""

from attrs import define, field

from adapters.http.responses.http_errors import Overloaded


@define(eq=False)
class FairShare:
    """So much for all clients together, and so much for each: what one of them can take leaves something to others."""

    what: str
    most: int
    most_each: int
    taken: int = field(default=0, init=False)
    _of: dict[str, int] = field(factory=dict, init=False)

    def enter(self, client: str) -> None:
        """Take one for a client. Raises `Overloaded` where there is none left, for all or for this one."""
        if self.taken >= self.most or self._of.get(client, 0) >= self.most_each:
            raise Overloaded(f"there are too many {self.what}")
        self.take(client)

    def take(self, client: str, amount: int = 1) -> None:
        """Take some, whatever is left."""
        self.taken += amount
        self._of[client] = self._of.get(client, 0) + amount

    def give_back(self, client: str, amount: int = 1) -> None:
        """Give back what was taken."""
        self.taken -= amount
        self._of[client] -= amount
        if not self._of[client]:
            del self._of[client]

    def is_exceeded(self) -> bool:
        """Tell whether all together have more than there is."""
        return self.taken > self.most

    def is_exceeded_by(self, client: str) -> bool:
        """Tell whether one client has more than its share."""
        return self._of.get(client, 0) > self.most_each
