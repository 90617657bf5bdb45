"""Measures several things in turn, so that a disturbance of the machine affects all of them."""

import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from statistics import median

import attrs

from tests.benchmarks.load import Script, measure
from tests.benchmarks.machine import Usage
from tests.benchmarks.servers import Server


@attrs.frozen
class Trial:
    """A load on one server.

    Attributes:
        script: makes the script of one connection from a unique number. The connections of one round have consecutive
            numbers.
    """

    server: Server
    script: Callable[[int], Script]
    status: int = 200
    connections: int = 64


@attrs.frozen
class Figure:
    """The measurement of a server.

    Attributes:
        answers: responses a second.
        cpu: seconds that the server computed for one response. Other processes hardly change it. So on a busy machine
            it tells more than `answers`, but it excludes waiting.
    """

    answers: float
    cpu: float


@attrs.define
class Rounds:
    """Rounds of this many seconds for each trial, after a warm-up.

    Attributes:
        cores: the server's and the load's.
        busiest: the largest share of a round in which the load itself computed. Near 1, the figures are too low.
        disturbances: for each round, the share of the cores that other processes used.
    """

    rounds: int
    seconds: float
    warm_up: float
    cores: tuple[int, int]
    busiest: float = 0
    disturbances: list[float] = attrs.field(factory=list)
    numbers: Iterator[int] = attrs.field(factory=count)

    def medians(self, trials: Mapping[str, Trial]) -> dict[str, Figure]:
        """Return the median measurement of each trial."""
        for trial in trials.values():
            self.run(trial, self.warm_up)
        rounds = []
        for number in range(self.rounds):
            print(f"round {number + 1} of {self.rounds}: {', '.join(trials)}", file=sys.stderr)
            rounds.append({name: self.run(trial, self.seconds) for name, trial in trials.items()})
        return {
            name: Figure(median(each[name].answers for each in rounds), median(each[name].cpu for each in rounds))
            for name in trials
        }

    def run(self, trial: Trial, seconds: float | None = None) -> Figure:
        """Return the measurement of one round. Without `seconds`, it lasts until the scripts end."""
        scripts = [trial.script(next(self.numbers)) for _ in range(trial.connections)]
        before = Usage.now(self.cores, trial.server.pid)
        rate = measure(trial.server.port, scripts, status=trial.status, seconds=seconds)
        usage = Usage.now(self.cores, trial.server.pid) - before
        self.note(usage, rate.busy)
        return Figure(rate.answers, usage.server / rate.total)

    def note(self, usage: Usage, busy: float) -> None:
        """Note how reliable a round is. `busy` is the share of it in which the load computed."""
        self.disturbances.append(usage.others / usage.time / len(self.cores))
        self.busiest = max(self.busiest, busy)

    def quality(self) -> str:
        """Return one line about how reliable the figures are."""
        usual, worst = median(self.disturbances), max(self.disturbances)
        return (
            f"the load was computing for {self.busiest:.0%} of its busiest round; "
            f"other processes took {usual:.0%} of both cores in the median round, {worst:.0%} in the worst"
        )
