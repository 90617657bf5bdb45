"""Collecting garbage seldom, in processes whose work leaves no reference cycles behind."""

import gc

LOOKED_FOR = 20_000
"""Collect after so many more objects."""


def collect_seldom() -> None:
    """Begin the work. What is there by now stays, so collecting among it again and again would be in vain."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(LOOKED_FOR)
