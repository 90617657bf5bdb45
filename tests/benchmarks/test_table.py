"""The table shows what was measured, and whether it meets its aim."""

import pytest

from tests.benchmarks.rounds import Figure
from tests.benchmarks.table import Row, at_least, below, compare, scaling, table


@pytest.mark.parametrize(
    ("row", "ratio", "met"),
    [
        (compare("GET", Figure(1250, 2e-5), "(b)", Figure(1000, 3e-5), least=1.25), "1.25", True),
        (compare("GET", Figure(1249, 1e-5), "(b)", Figure(1000, 3e-5), least=1.25), "1.25", False),
        (compare("GET", Figure(1000, 1e-5), "(b)", Figure(2000, 1e-5)), "0.50", None),
        (scaling("two", Figure(600, 2e-5), "one", Figure(1000, 1.7e-5), least=0.85), "0.60", True),
        (scaling("two", Figure(2000, 2e-5), "one", Figure(1000, 1.69e-5), least=0.85), "2.00", False),
        (at_least("bulk", 30_000, 30_000, "entities/s"), "", True),
        (at_least("bulk", 29_999, 30_000, "entities/s"), "", False),
        (below("memory", 79.9, 80, "MB"), "", True),
        (below("memory", 80, 80, "MB"), "", False),
    ],
)
def test_an_aim_is_met_or_not(row: Row, ratio: str, met: bool | None) -> None:
    """A figure is compared with its aim as measured, not as rounded. A row without an aim has no verdict."""
    assert (ratio, met) == (row.ratio, row.met)


def test_the_table_is_in_columns() -> None:
    """Each row is one line, and each column is aligned."""
    rows = [
        compare("GET one", Figure(12_500, 5e-5), "(b)", Figure(10_000, 6e-5), least=1.25),
        below("memory", 90, 80, "MB"),
    ]

    assert [
        "               figure  compared with  ratio  by CPU  aim",
        "GET one  12,500 req/s  (b): 10,000     1.25    1.20  ≥ 1.25   met",
        "memory          90 MB                                < 80 MB  NOT MET",
    ] == table(rows).splitlines()
