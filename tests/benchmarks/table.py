"""The rows of a benchmark's results, and the table of them."""

from collections.abc import Iterable

import attrs

from tests.benchmarks.rounds import Figure

HEADINGS = ("", "figure", "compared with", "ratio", "by CPU", "aim", "")


@attrs.frozen
class Row:
    """One figure, its comparison, and whether it meets its aim (None if it has no aim)."""

    what: str
    figure: str
    against: str = ""
    ratio: str = ""
    by_cpu: str = ""
    aim: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the row, in the order of the headings."""
        verdict = {True: "met", False: "NOT MET", None: ""}[self.met]
        return self.what, self.figure, self.against, self.ratio, self.by_cpu, self.aim, verdict


def compare(what: str, figure: Figure, other: str, base: Figure, *, least: float | None = None) -> Row:
    """Make the row of a rate that should be at least `least` times another, or has no aim."""
    ratio = figure.answers / base.answers
    return Row(
        what=what,
        figure=f"{figure.answers:,.0f} req/s",
        against=f"{other}: {base.answers:,.0f}",
        ratio=f"{ratio:.2f}",
        by_cpu=f"{base.cpu / figure.cpu:.2f}",
        aim="" if least is None else f"≥ {least:.2f}",
        met=None if least is None else ratio >= least,
    )


def scaling(what: str, figure: Figure, other: str, base: Figure, *, least: float) -> Row:
    """Compare two processes with one by their computing time, because they share a core here.

    With a core each, they respond twice as often if neither computes more.
    """
    row = compare(what, figure, other, base)
    return attrs.evolve(row, aim=f"≥ {least:.2f} by CPU", met=base.cpu / figure.cpu >= least)


def at_least(what: str, figure: float, least: float, unit: str) -> Row:
    """Make the row of a figure that should be at least `least`."""
    return Row(what, f"{figure:,.0f} {unit}", aim=f"≥ {least:,.0f} {unit}", met=figure >= least)


def below(what: str, figure: float, limit: float, unit: str) -> Row:
    """Make the row of a figure that should be less than `limit`."""
    return Row(what, f"{figure:,.3g} {unit}", aim=f"< {limit:g} {unit}", met=figure < limit)


def table(rows: Iterable[Row]) -> str:
    """Return the rows as text in columns: the first column to the left, the numbers to the right."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if heading in {"figure", "ratio", "by CPU"} else text.ljust(width)
            for heading, text, width in zip(HEADINGS, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )
