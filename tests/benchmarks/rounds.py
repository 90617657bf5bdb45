"""Measuring several things in turn, so that whatever disturbs the machine for a while disturbs them all."""

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
        script: makes the script of one connection from a number that is never given twice; the connections of one round
            have consecutive ones.
    """

    server: Server
    script: Callable[[int], Script]
    status: int = 200
    connections: int = 64


@attrs.frozen
class Figure:
    """What a server achieved.

    Attributes:
        answers: answers a second.
        cpu: seconds that the server computed for one answer. Other processes hardly change it, so it tells more than
            `answers` on a machine that is not quiet; but it knows nothing of waiting.
    """

    answers: float
    cpu: float


@attrs.define
class Rounds:
    """Rounds of so many seconds for each trial, after a warm-up.

    Attributes:
        cores: the servers' and the load's.
        busiest: the greatest share of a round that the load itself was computing; near 1, the figures are too low.
        disturbances: the share of the cores that others took, for each round.
    """

    rounds: int
    seconds: float
    warm_up: float
    cores: tuple[int, int]
    busiest: float = 0
    disturbances: list[float] = attrs.field(factory=list)
    numbers: Iterator[int] = attrs.field(factory=count)

    def medians(self, trials: Mapping[str, Trial]) -> dict[str, Figure]:
        """Return what each trial achieved, at the median of its rounds."""
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
        """Return what one round achieved; without `seconds` it goes on until the scripts end by themselves."""
        scripts = [trial.script(next(self.numbers)) for _ in range(trial.connections)]
        before = Usage.now(self.cores, trial.server.pid)
        rate = measure(trial.server.port, scripts, status=trial.status, seconds=seconds)
        usage = Usage.now(self.cores, trial.server.pid) - before
        self.note(usage, rate.busy)
        return Figure(rate.answers, usage.server / rate.total)

    def note(self, usage: Usage, busy: float) -> None:
        """Remember how far a round can be trusted; `busy` is the share of it in which the load was computing."""
        self.disturbances.append(usage.others / usage.time / len(self.cores))
        self.busiest = max(self.busiest, busy)

    def quality(self) -> str:
        """Say in one line how far the figures can be trusted."""
        usual, worst = median(self.disturbances), max(self.disturbances)
        return (
            f"the load was computing for {self.busiest:.0%} of its busiest round; "
            f"other processes took {usual:.0%} of both cores in the median round, {worst:.0%} in the worst"
        )
