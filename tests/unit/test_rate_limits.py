"""The table of who may ask how often, which all workers share."""

import multiprocessing
from multiprocessing.context import ForkProcess

from attrs import define

from adapters.shared_memory.rate_limits import LOCATIONS, SharedRateLimiter
from domain.access.rate_limit import SECOND, Quota

QUOTA = Quota(3, 60)
_fork = multiprocessing.get_context("fork")


@define
class Clock:
    """A clock that a test turns by hand."""

    now: int = 1000 * SECOND

    def __call__(self) -> int:
        return self.now


def taken(limiter: SharedRateLimiter, subject: bytes, times: int) -> list[bool]:
    """Return what becomes of so many tries."""
    return [limiter.take(subject, QUOTA).allowed for _ in range(times)]


def test_each_subject_has_its_own_quota() -> None:
    """Subjects have separate quotas, and a quota comes back with time."""
    clock = Clock()
    limiter = SharedRateLimiter(clock=clock)
    assert [True] * 3 + [False] == taken(limiter, b"one", 4)
    assert [True] * 3 + [False] == taken(limiter, b"two", 4)
    clock.now += 20 * SECOND
    assert [True, False] == taken(limiter, b"one", 2)


def test_a_flood_of_subjects_frees_nobody() -> None:
    """However many others come, the table does not grow, and who has used up his quota stays known."""
    limiter = SharedRateLimiter(buckets=1, clock=Clock())
    size = len(limiter._table)
    assert [True] * 3 == taken(limiter, b"busy", 3)
    for number in range(100 * LOCATIONS):
        assert limiter.take(b"%d" % number, QUOTA).allowed
    assert [False] == taken(limiter, b"busy", 1)
    assert size == len(limiter._table)


def test_a_place_is_given_up_for_a_new_subject() -> None:
    """A full bucket drops the subject that has the most quota left."""
    limiter = SharedRateLimiter(buckets=1, clock=Clock())
    for number in range(LOCATIONS):
        taken(limiter, b"%d" % number, 1 if number == 3 else 2)
    assert limiter.take(b"new", QUOTA).allowed
    assert [True, False] == taken(limiter, b"2", 2)
    assert [True, True, True] == taken(limiter, b"3", 3)


def _use_up(limiter: SharedRateLimiter, subject: bytes, times: int, allowed: "multiprocessing.Queue[int]") -> None:
    allowed.put(sum(limiter.take(subject, Quota(1000, 3600)).allowed for _ in range(times)))


def test_all_workers_share_one_quota() -> None:
    """However many processes use it up at the same time, exactly the quota is allowed, and none comes twice."""
    limiter = SharedRateLimiter(clock=Clock())
    allowed: multiprocessing.Queue[int] = _fork.Queue()
    workers: list[ForkProcess] = [
        _fork.Process(target=_use_up, args=(limiter, b"shared", 600, allowed)) for _ in range(4)
    ]
    for each in workers:
        each.start()
    counts = [allowed.get(timeout=60) for _ in workers]
    for each in workers:
        each.join()
    assert 1000 == sum(counts)


def test_a_worker_that_ends_holds_up_nobody() -> None:
    """The lock of a process that is killed while it holds it is free again."""
    limiter = SharedRateLimiter(buckets=1)
    held = _fork.Event()

    def hold() -> int:
        held.set()
        _fork.Event().wait()
        return 0

    def take() -> None:
        limiter._clock = hold  # it is read under the lock
        limiter.take(b"one", QUOTA)

    worker = _fork.Process(target=take)
    worker.start()
    assert held.wait(60)
    worker.kill()
    worker.join()
    assert limiter.take(b"one", QUOTA).allowed
