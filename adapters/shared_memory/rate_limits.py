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
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from tempfile import TemporaryFile

from attrs import define

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
        self._sought = lru_cache(1024)(self._entry)
        self._buckets = buckets
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        with TemporaryFile() as file:
            self._locks = os.dup(file.fileno())  # only its locks are used
        weakref.finalize(self, os.close, self._locks)
        self._table = mmap.mmap(-1, buckets * _BUCKET.size)

    def take(self, subject: bytes, quota: Quota) -> Verdict:
        entry = self._sought(subject)
        if self._alone:
            return self._decide(entry, quota)
        fcntl.lockf(self._locks, fcntl.LOCK_EX, 1, entry.bucket)
        try:
            return self._decide(entry, quota)
        finally:
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, entry.bucket)

    def _entry(self, subject: bytes) -> "_Entry":
        """Return the bucket of a subject and its fingerprint in it, and its first slot as a guess."""
        digest = blake2b(subject, digest_size=16, key=self._secret).digest()
        bucket = int.from_bytes(digest[:8], "big") % self._buckets
        return _Entry(bucket, digest[8:], bucket * _BUCKET.size)

    def _decide(self, entry: "_Entry", quota: Quota) -> Verdict:
        fingerprint, known = _SLOT.unpack_from(self._table, entry.slot)
        if fingerprint != entry.fingerprint:  # new, or evicted by this process or another since it was here
            entry.slot, known = self._slot_of(entry)
        whole_at, verdict = decide(quota, known, self._clock())
        _SLOT.pack_into(self._table, entry.slot, entry.fingerprint, whole_at)
        return verdict

    def _slot_of(self, entry: "_Entry") -> tuple[int, int]:
        """Return the slot of a subject and its time; for a new subject, the slot to evict, and 0."""
        start = entry.bucket * _BUCKET.size
        values = _BUCKET.unpack_from(self._table, start)
        fingerprints, times = values[::2], values[1::2]
        is_known = entry.fingerprint in fingerprints
        slot = fingerprints.index(entry.fingerprint) if is_known else times.index(min(times))
        return start + slot * _SLOT.size, times[slot] if is_known else 0


@define(eq=False)
class _Entry:
    """Where a subject is: its bucket, its fingerprint there, and the slot in which this process saw it last."""

    bucket: int
    fingerprint: bytes
    slot: int  # where it begins in the table
