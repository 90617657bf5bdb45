"""Writing rows that were rejected, each with the reason, in a form that can be mended and read again."""

import re
from abc import abstractmethod
from collections.abc import Iterable
from typing import Protocol

import orjson

from adapters.serialization.tables import LINE_END
from domain.columns import REJECTED
from domain.rows import Row, RowViolation

_EARLIER = re.compile(rf'\{{"{REJECTED}":"(?:[^"\\]|\\.)*",')


class RejectedRows(Protocol):
    """Writes rejected rows as they were, with the reason."""

    @property
    @abstractmethod
    def head(self) -> str:
        """What comes before all rows."""

    @abstractmethod
    def write(self, row: Row, violations: Iterable[RowViolation]) -> str:
        """Return a row with everything that is wrong with it."""


class RejectedTableRows(RejectedRows):
    """The table with one more column, at its end."""

    def __init__(self, header: str, delimiter: str) -> None:
        self._header = header
        self._delimiter = delimiter

    @property
    def head(self) -> str:
        return f"{self._header}{self._delimiter}{REJECTED}{LINE_END}"

    def write(self, row: Row, violations: Iterable[RowViolation]) -> str:
        quoted = _reason(violations).replace('"', '""')
        return f'{row.text}{self._delimiter}"{quoted}"{LINE_END}'


class RejectedLineRows(RejectedRows):
    """The objects with one more key, in front. A line that is no object becomes the text in one."""

    head = ""

    def write(self, row: Row, violations: Iterable[RowViolation]) -> str:
        reason = orjson.dumps(_reason(violations)).decode()
        text = _EARLIER.sub("{", row.text, count=1)
        if not text.startswith("{"):
            return f'{{"{REJECTED}":{reason},"line":{orjson.dumps(_plain(text)).decode()}}}\n'
        rest = text[1:].lstrip()
        return f'{{"{REJECTED}":{reason}{"" if rest == "}" else ","}{rest}\n'


def _reason(violations: Iterable[RowViolation]) -> str:
    return "; ".join(str(each).partition(": ")[2] for each in violations)


def _plain(text: str) -> str:
    """Return a text without the halves of surrogate pairs, which JSON cannot hold."""
    return text.encode(errors="replace").decode()
