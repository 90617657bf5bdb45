"""A medium mounted as a file system, by the kernel's own protocol, so that nothing must be installed.

The kernel passes on every write and sync, one after the other, and waits for each response. After a power cut there are
no more responses. The kernel itself handles locks and shared memory between processes.
"""

import ctypes
import os
import struct
from collections.abc import Callable
from errno import EIO, ENODEV, ENOENT, ENOSYS
from itertools import islice
from pathlib import Path
from threading import Lock

from tests.power.medium import File, Folder, Medium, Node, Survives

DEVICE = Path("/dev/fuse")
MAX_WRITE = 128 * 1024
BUFFER = MAX_WRITE + 4096
LONG = 1 << 30
"""Seconds for which the kernel may cache names and sizes: only the kernel changes them."""

_VERSION = (7, 31)
_REQUEST = struct.Struct("<IIQQIIIHH")  # length, operation, number, node, user, group, process, and padding
_ANSWER = struct.Struct("<IiQ")  # length, error, number
_ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
_MNT_FORCE, _MNT_DETACH = 1, 2
_MS_NOSUID, _MS_NODEV = 2, 4
_NEW_SIZE = 1 << 3  # a bit of the attributes to change
_FOLDER, _FILE = 0o040755, 0o100644

_libc = ctypes.CDLL(None, use_errno=True)


def _call(done: int) -> None:
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Mount:
    """A mounted medium. One thread calls `serve`, another one `cut`."""

    def __init__(self, medium: Medium, folder: Path) -> None:
        """Mount it. Raises `OSError` if that is impossible or forbidden."""
        self._medium = medium
        self._folder = bytes(folder)
        self._is_on = True
        self._turn = Lock()  # a cut comes between two operations, never within one
        self._device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
        _call(_libc.mount(b"power", self._folder, b"fuse", _MS_NOSUID | _MS_NODEV, options.encode()))

    def cut(self, survives: Survives) -> None:
        """Cut the power: reduce the medium to what survives, stop answering, and unmount it."""
        with self._turn:
            self._is_on = False
            self._medium.cut(survives)
        _call(_libc.umount2(self._folder, _MNT_FORCE | _MNT_DETACH))  # waiting calls get an error

    def serve(self) -> None:
        """Answer the kernel until the power is cut."""
        try:
            while True:
                request = os.read(self._device, BUFFER)
                with self._turn:
                    if not self._is_on:
                        return
                    self._answer(request)
        except OSError as error:
            if error.errno != ENODEV:  # ENODEV means unmounted
                raise
        finally:
            os.close(self._device)

    def _answer(self, request: bytes) -> None:
        _, operation, number, node, *_ = _REQUEST.unpack_from(request)
        if operation in _UNANSWERED:
            return
        error, body = 0, b""
        try:
            work = _OPERATIONS[operation]
            body = work(self._medium, self._medium.nodes[node] if node else self._medium.root, request[_REQUEST.size :])
        except KeyError:
            error = ENOSYS
        except OSError as failure:
            error = failure.errno or EIO
        os.write(self._device, _ANSWER.pack(_ANSWER.size + len(body), -error, number) + body)


def _attributes(node: Node) -> bytes:
    is_file = isinstance(node, File)
    size = len(node.seen) if is_file else 0
    mode = _FILE if is_file else _FOLDER
    return _ATTRIBUTES.pack(node.id, size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def _entry(node: Node) -> bytes:
    return struct.pack("<QQQQII", node.id, 0, LONG, LONG, 0, 0) + _attributes(node)


def _known(node: Node) -> bytes:
    return struct.pack("<QII", LONG, 0, 0) + _attributes(node)


_OPENED = struct.pack("<QII", 0, 0, 0)


def _start(medium: Medium, node: Node, body: bytes) -> bytes:
    _, _, read_ahead = struct.unpack_from("<III", body)
    return struct.pack("<IIIIHHIIHHIIH22x", *_VERSION, read_ahead, 0, 12, 9, MAX_WRITE, 1, 0, 0, 0, 0, 0)


def _look_up(medium: Medium, node: Node, body: bytes) -> bytes:
    name = body.rstrip(b"\0")
    if name not in _folder(node).seen:
        raise FileNotFoundError(ENOENT, "no such name")
    return _entry(_folder(node).seen[name])


def _tell(medium: Medium, node: Node, body: bytes) -> bytes:
    return _known(node)


def _change(medium: Medium, node: Node, body: bytes) -> bytes:
    wanted, _, size = struct.unpack_from("<Q8sQ", body)
    if wanted & _NEW_SIZE:
        _file(node).resize(size)
    return _known(node)


def _make_folder(medium: Medium, node: Node, body: bytes) -> bytes:
    made = medium.folder()
    _folder(node).put(body[8:].rstrip(b"\0"), made)
    return _entry(made)


def _make_file(medium: Medium, node: Node, body: bytes) -> bytes:
    made = medium.file()
    _folder(node).put(body[16:].rstrip(b"\0"), made)
    return _entry(made) + _OPENED


def _remove(medium: Medium, node: Node, body: bytes) -> bytes:
    _folder(node).remove(body.rstrip(b"\0"))
    return b""


def _open(medium: Medium, node: Node, body: bytes) -> bytes:
    return _OPENED


def _read(medium: Medium, node: Node, body: bytes) -> bytes:
    _, offset, size = struct.unpack_from("<QQI", body)
    return _file(node).read(offset, size)


def _write(medium: Medium, node: Node, body: bytes) -> bytes:
    _, offset, size = struct.unpack_from("<QQI", body)
    _file(node).write(offset, body[40 : 40 + size])
    return struct.pack("<II", size, 0)


def _sync(medium: Medium, node: Node, body: bytes) -> bytes:
    node.sync()
    return b""


def _list(medium: Medium, node: Node, body: bytes) -> bytes:
    _, offset, size = struct.unpack_from("<QQI", body)
    found = b""
    for place, (name, each) in islice(enumerate(_folder(node).seen.items(), 1), offset, None):
        entity_type = (_FILE if isinstance(each, File) else _FOLDER) >> 12
        one = struct.pack("<QQII", each.id, place, len(name), entity_type) + name
        one += bytes(-len(one) % 8)
        if len(found) + len(one) > size:
            break
        found += one
    return found


def _room(medium: Medium, node: Node, body: bytes) -> bytes:
    return struct.pack("<QQQQQIII28x", 1 << 30, 1 << 29, 1 << 29, 1 << 20, 1 << 19, 4096, 255, 4096)


def _nothing(medium: Medium, node: Node, body: bytes) -> bytes:
    return b""


def _folder(node: Node) -> Folder:
    assert isinstance(node, Folder)
    return node


def _file(node: Node) -> File:
    assert isinstance(node, File)
    return node


# Operations by their protocol numbers; FORGET, BATCH_FORGET and INTERRUPT get no response.
_UNANSWERED = frozenset({2, 36, 42})
_OPERATIONS: dict[int, Callable[[Medium, Node, bytes], bytes]] = {
    1: _look_up,
    3: _tell,
    4: _change,
    9: _make_folder,
    10: _remove,
    11: _remove,
    14: _open,
    15: _read,
    16: _write,
    17: _room,
    18: _nothing,  # closed
    20: _sync,
    25: _nothing,  # flushed, which makes nothing durable
    26: _start,
    27: _open,
    28: _list,
    29: _nothing,
    30: _sync,
    35: _make_file,
}
