"""The numbers that all workers of a host share: nothing that was counted is lost, however workers end."""

import multiprocessing
import os
import signal
from collections import Counter
from multiprocessing.connection import Connection

from hypothesis import given
from hypothesis import strategies as st

from adapters.shared_memory.numbers import NAME, WIDTH, SharedNumbers

BLOCKS = 3
_fork = multiprocessing.get_context("fork")

STEPS = st.lists(
    st.tuples(
        st.integers(0, BLOCKS - 1), st.sampled_from(["a", "b\tx", "ü"]), st.integers(0, WIDTH - 1), st.integers(0, 9)
    )
)


@given(steps=STEPS)
def test_the_sum_is_what_was_counted(steps: list[tuple[int, str, int, int]]) -> None:
    """Whichever worker counts, and however often its block changes hands, the total is the sum of all."""
    numbers, expected = SharedNumbers(blocks=BLOCKS, rows=5), Counter[tuple[str, int]]()
    for block, name, at, amount in steps:
        numbers.take(block)
        numbers.add(numbers.row(name), amount, at)
        expected[name, at] += amount
    found = {(name, at): value for name, values in numbers.total().items() for at, value in enumerate(values) if value}
    assert +expected == found


def _count(numbers: SharedNumbers, block: int, told: Connection) -> None:
    numbers.take(block)
    for _ in range(1000):
        numbers.add(numbers.row("counted"), 1)
    numbers.put(numbers.row(f"worker {block}"), os.getpid())
    told.send(os.getpid())
    signal.pause()


def test_a_killed_worker_keeps_its_counts() -> None:
    """What processes counted stays after they are killed, and those in their places go on from there."""
    numbers = SharedNumbers(blocks=BLOCKS)
    for life in range(1, 4):
        workers = []
        for block in range(BLOCKS):
            reader, writer = _fork.Pipe(duplex=False)
            process = _fork.Process(target=_count, args=(numbers, block, writer))
            process.start()
            workers.append((process, reader))
        pids = [reader.recv() for _, reader in workers]
        for process, _ in workers:
            process.kill()
            process.join()
        total = numbers.total()
        assert 1000.0 * BLOCKS * life == total["counted"][0]
        assert pids == [total[f"worker {block}"][0] for block in range(BLOCKS)]


def test_a_full_block() -> None:
    """The block does not grow, and what has a row is counted as before."""
    numbers = SharedNumbers(rows=3)
    for name in ("one", "two", "three", "four", "one"):
        numbers.add(numbers.row(name), 1)
    assert {"one": 2.0, "two": 1.0} == {name: values[0] for name, values in numbers.total().items()}


def test_a_long_name_is_cut() -> None:
    """A name longer than its place harms no other row."""
    numbers = SharedNumbers()
    numbers.add(numbers.row("x" * 2 * NAME), 1)
    numbers.add(numbers.row("y"), 1)
    assert {"x" * NAME: 1.0, "y": 1.0} == {name: values[0] for name, values in numbers.total().items()}
