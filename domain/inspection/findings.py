"""What an inspection finds, in bounded number."""

from collections import Counter
from enum import Enum

from attrs import define, field, frozen

MOST_SHOWN = 100
"""How many findings of a kind are kept; the others are counted."""

VALUE_SHOWN = 80
"""How much of a value a finding shows, in characters."""


class Kind(Enum):
    """What a finding is about. The findings of a kind often have one cause, and one remedy."""

    PAGE = "page"  # what the database finds wrong with itself, or cannot read
    SCHEMA = "schema"  # a table, a column or a constraint
    INDEX = "index"
    SEARCH_INDEX = "search index"
    SORT_KEY = "sort key"  # a column that should follow from the document
    DOCUMENT = "document"  # it cannot be read, or has another form than it would be written in
    RULE = "rule"  # an entity breaks a rule of its type
    LAST_CHANGE = "last change"  # an entity and its last change contradict each other
    CHAIN = "chain"  # the changes of an entity do not follow from each other
    LOG = "log"  # the log's numbers and names
    CURSOR = "cursor"
    ID = "id"
    UNIQUE = "unique"
    WEBHOOK = "webhook"
    DELIVERY = "delivery"
    OUTCOME = "outcome"  # under an idempotency key
    KEY = "key"
    CALENDAR = "calendar"


@frozen
class Finding:
    """Something wrong. `what` completes the sentence about `where`, such as "task 7" or "change 12"."""

    kind: Kind
    where: str
    what: str


@frozen
class Unchecked:
    """Something that could not be checked, and `why`; it may be as it should."""

    what: str
    why: str


@define
class Findings:
    """All findings: the first of each kind, the number of each kind, and what could not be checked."""

    first: list[Finding] = field(factory=list, init=False)
    counts: Counter[Kind] = field(factory=Counter, init=False)
    unchecked: list[Unchecked] = field(factory=list, init=False)

    def add(self, finding: Finding | Unchecked) -> None:
        """Add a finding, or what could not be checked."""
        if isinstance(finding, Unchecked):
            self.unchecked.append(finding)
            return
        self.counts[finding.kind] += 1
        if self.counts[finding.kind] <= MOST_SHOWN:
            self.first.append(finding)


def differs(kind: Kind, where: str, column: str, has: object, should: object) -> Finding:
    """Return the finding that a column has one value and should have another."""
    return Finding(kind, where, f"{column} is {shown(has)}, and should be {shown(should)}")


def shown(value: object) -> str:
    """Return a value as a finding shows it."""
    text = repr(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}…"
