"""Rate limits in a table of fixed size that all workers share: when each subject has its whole quota again.

The parent creates the table before it forks. A keyed hash finds the bucket of a subject, so that nobody can choose a
neighbour. A full bucket evicts the subject with the most quota left. So a flood of new subjects cannot make the table
grow, nor free subjects that have used up their quota.
"""

import fcntl
import mmap
import os
import secrets
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from tempfile import TemporaryFile

from domain.access.rate_limit import Quota, RateLimiter, Verdict, decide

LOCATIONS = 8  # slots of a bucket
BUCKETS = 8192

_SLOT = Struct("=8sq")  # a subject's fingerprint, and when its quota is whole again, in nanoseconds
_BUCKET = Struct("=" + "8sq" * LOCATIONS)


class SharedRateLimiter(RateLimiter):
    """Decides under a lock of the bucket, which the system releases if the process ends."""

    def __init__(
        self, *, buckets: int = BUCKETS, alone: bool = False, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Create the table.

        `clock` counts nanoseconds and must be the same in all processes. A process that is `alone` needs no locks.
        """
        self._alone = alone
        self._sought = lru_cache(1024)(self._place)
        self._buckets = buckets
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        with TemporaryFile() as file:
            self._locks = os.dup(file.fileno())  # only its locks are used
        weakref.finalize(self, os.close, self._locks)
        self._table = mmap.mmap(-1, buckets * _BUCKET.size)

    def take(self, subject: bytes, quota: Quota) -> Verdict:
        number, fingerprint = self._sought(subject)
        start = number * _BUCKET.size
        if self._alone:
            return self._decide(start, fingerprint, quota)
        with self._locked(number):
            return self._decide(start, fingerprint, quota)

    def _place(self, subject: bytes) -> tuple[int, bytes]:
        """Return the bucket of a subject and its fingerprint in it."""
        digest = blake2b(subject, digest_size=16, key=self._secret).digest()
        return int.from_bytes(digest[:8], "big") % self._buckets, digest[8:]

    def _decide(self, start: int, fingerprint: bytes, quota: Quota) -> Verdict:
        values = _BUCKET.unpack_from(self._table, start)
        slot, known = _slot_of(fingerprint, values)
        whole_at, verdict = decide(quota, known, self._clock())
        _SLOT.pack_into(self._table, start + slot * _SLOT.size, fingerprint, whole_at)
        return verdict

    @contextmanager
    def _locked(self, bucket: int) -> Iterator[None]:
        fcntl.lockf(self._locks, fcntl.LOCK_EX, 1, bucket)
        try:
            yield
        finally:
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, bucket)


def _slot_of(fingerprint: bytes, values: tuple[bytes | int, ...]) -> tuple[int, int]:
    """Return the slot of a subject and its time; for a new subject, the slot to evict, and 0."""
    fingerprints, times = values[::2], values[1::2]
    if fingerprint in fingerprints:
        slot = fingerprints.index(fingerprint)
        return slot, int(times[slot])
    return times.index(min(times, key=int)), 0
