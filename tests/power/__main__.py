"""Cut the power of the service many times, and report lost writes; run as `make power`."""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.service import PROGRAM
from tests.power.cutting import NORMAL, SHORT_LOG, Trial
from tests.power.disk import CannotMount, disk_at

CONTROL = 10
"""After so many cuts the control has surely lost something."""


def main() -> int:
    """Return 0 if only the control lost acknowledged writes, else 1."""
    parser = argparse.ArgumentParser(prog="make power", description=__doc__)
    parser.add_argument("--cuts", type=int, default=200, help="how often, default 200")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="for the same choices again")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        lost = _lost(Path(folder), "FULL", (PROGRAM, SHORT_LOG), chosen.cuts, chosen.seed)
        control = _lost(Path(folder), "NORMAL", (NORMAL,), min(CONTROL, chosen.cuts), chosen.seed)
    return 0 if lost == 0 < control else 1


def _lost(folder: Path, name: str, programs: Sequence[Sequence[str]], cuts: int, seed: int) -> int:
    """Cut, report the result, and return how many writes were lost."""
    mounted = folder / name
    mounted.mkdir()
    with disk_at(mounted) as disk:
        trial = Trial(disk, folder, programs=programs, chance=random.Random(seed))
        tally = trial.run(cuts)
    print(
        f"synchronous={name}: {tally.cuts} power cuts of {tally.stores} stores, {tally.acknowledged} writes"
        f" acknowledged, {tally.lost} of them lost",
        flush=True,
    )
    return tally.lost


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CannotMount as reason:
        sys.exit(f"NO POWER WAS CUT: mounting a file system takes Linux, root and /dev/fuse: {reason}")
