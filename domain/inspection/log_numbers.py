"""The numbers of the changes in a log, each as one bit: a million take an eighth of a megabyte."""

from collections.abc import Iterator

from domain.inspection.findings import Finding, Kind

PAGE = 1 << 16
_FULL = b"\xff" * (PAGE // 8)


class LogNumbers:
    """Takes the numbers of all kept changes in any order, and tells which are missing."""

    def __init__(self, *, forgotten: int, newest: int) -> None:
        """The log should have every number after `forgotten` up to `newest`."""
        self._forgotten = forgotten
        self._newest = newest
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> Finding | None:
        """Note a number. Return what is wrong with it, if anything is."""
        if not self._forgotten < number <= self._newest:
            what = f"is in the log, which should have {self._forgotten + 1} to {self._newest}"
            return Finding(Kind.LOG, f"change {number}", what)
        page, offset = divmod(number, PAGE)
        bits = self._pages.get(page)
        if bits is None:
            bits = self._pages[page] = bytearray(PAGE // 8)
        byte, bit = offset >> 3, 1 << (offset & 7)
        if bits[byte] & bit:
            return Finding(Kind.LOG, f"change {number}", "is in the log twice")
        bits[byte] |= bit
        return None

    def gaps(self) -> Iterator[Finding]:
        """Yield the runs of missing numbers."""
        expected = self._forgotten + 1
        for number, last in self._runs():
            if number > expected:
                yield _gap(expected, number - 1)
            expected = last + 1
        if expected <= self._newest:
            yield _gap(expected, self._newest)

    def _runs(self) -> Iterator[tuple[int, int]]:
        """Yield runs of noted numbers, in order; two may touch."""
        for page in sorted(self._pages):
            start, bits = page * PAGE, self._pages[page]
            if bits == _FULL:
                yield start, start + PAGE - 1
                continue
            for byte, noted in enumerate(bits):
                for bit in range(8):
                    if noted & 1 << bit:
                        yield start + 8 * byte + bit, start + 8 * byte + bit


def _gap(first: int, last: int) -> Finding:
    where, is_missing = (f"change {first}", "is") if first == last else (f"changes {first} to {last}", "are")
    return Finding(Kind.LOG, where, f"{is_missing} missing from the log")
