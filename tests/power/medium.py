"""A model of a disk with a write cache: after a power cut only synced data is sure to be there.

It promises as little as POSIX allows. The sync of a file keeps its data, but not its name; the sync of its folder keeps
the name. Unsynced data survives a cut piece by piece, independently of earlier writes.
"""

from collections.abc import Callable
from errno import EEXIST, ENOENT, ENOTEMPTY
from itertools import count
from typing import TypeAlias

from attrs import define, field

SECTOR = 512
"""The bytes of a piece, which survives as a whole or not at all."""

Survives: TypeAlias = Callable[[], bool]
Node: TypeAlias = "File | Folder"


@define(eq=False, repr=False)
class File:
    """The data of a file, as programs see it and as a power cut leaves it."""

    id: int
    seen: bytearray = field(factory=bytearray)
    kept: bytearray = field(factory=bytearray)
    _unsynced: list[tuple[int, bytes] | int] = field(factory=list)  # writes and new sizes, in order

    def read(self, offset: int, size: int) -> bytes:
        """Return the data that programs see."""
        return bytes(self.seen[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        """Write into the cache."""
        _write(self.seen, offset, data)
        self._unsynced.append((offset, data))

    def resize(self, size: int) -> None:
        """Truncate or extend, in the cache."""
        _resize(self.seen, size)
        self._unsynced.append(size)

    def sync(self) -> None:
        """Make all data durable."""
        self._keep(lambda: True)

    def cut(self, survives: Survives) -> None:
        """Keep the synced data, and the pieces of the rest that survive."""
        self._keep(survives)
        self.seen = bytearray(self.kept)

    def _keep(self, survives: Survives) -> None:
        for each in self._unsynced:
            if isinstance(each, int):
                if survives():
                    _resize(self.kept, each)
                continue
            offset, data = each
            for start in range(-(offset % SECTOR), len(data), SECTOR):
                if survives():
                    _write(self.kept, offset + max(start, 0), data[max(start, 0) : start + SECTOR])
        self._unsynced.clear()


@define(eq=False, repr=False)
class Folder:
    """The names in a folder, as programs see them and as a power cut leaves them."""

    id: int
    seen: dict[bytes, Node] = field(factory=dict)
    kept: dict[bytes, Node] = field(factory=dict)
    _unsynced: list[tuple[bytes, "Node | None"]] = field(factory=list)  # None for a removed name

    def put(self, name: bytes, node: Node) -> None:
        """Add a name. Raises `FileExistsError`."""
        if name in self.seen:
            raise FileExistsError(EEXIST, "there is one already")
        self.seen[name] = node
        self._unsynced.append((name, node))

    def remove(self, name: bytes) -> None:
        """Remove a name. Raises `FileNotFoundError`, and `OSError` for a folder that is not empty."""
        if name not in self.seen:
            raise FileNotFoundError(ENOENT, "no such name")
        node = self.seen[name]
        if isinstance(node, Folder) and node.seen:
            raise OSError(ENOTEMPTY, "there is something in it")
        del self.seen[name]
        self._unsynced.append((name, None))

    def sync(self) -> None:
        """Make all names durable."""
        self._keep(lambda: True)

    def cut(self, survives: Survives) -> None:
        """Keep the synced names, and the later changes that survive."""
        self._keep(survives)
        self.seen = dict(self.kept)

    def _keep(self, survives: Survives) -> None:
        for name, node in self._unsynced:
            if not survives():
                continue
            if node is None:
                self.kept.pop(name, None)
            else:
                self.kept[name] = node
        self._unsynced.clear()


class Medium:
    """Everything on a disk."""

    def __init__(self) -> None:
        self._ids = count(1)
        self.root = Folder(next(self._ids))
        self.nodes: dict[int, Node] = {self.root.id: self.root}

    def file(self) -> File:
        """Return a new file without a name."""
        node = File(next(self._ids))
        self.nodes[node.id] = node
        return node

    def folder(self) -> Folder:
        """Return a new folder without a name."""
        node = Folder(next(self._ids))
        self.nodes[node.id] = node
        return node

    def cut(self, survives: Survives) -> None:
        """Apply a power cut; everything without a name is lost."""
        for node in self.nodes.values():
            node.cut(survives)
        named: dict[int, Node] = {}
        waiting: list[Node] = [self.root]
        while waiting:
            node = waiting.pop()
            named[node.id] = node
            if isinstance(node, Folder):
                waiting += node.seen.values()
        self.nodes = named


def _write(target: bytearray, offset: int, data: bytes) -> None:
    if len(target) < offset:
        _resize(target, offset)
    target[offset : offset + len(data)] = data


def _resize(target: bytearray, size: int) -> None:
    del target[size:]
    target.extend(bytes(size - len(target)))
