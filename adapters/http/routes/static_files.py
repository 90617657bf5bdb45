"""The files of the pages. They are read once. Their URLs name the version of all of them, and can be cached forever.

The version is a folder, so that a module imports its neighbours by relative URLs of the same version.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from mimetypes import guess_type

from attrs import field, frozen

from adapters.http.openapi.declarations import Operation, Path
from adapters.http.requests.etags import known_tag
from adapters.http.requests.ranges import requested_range
from adapters.http.requests.request import Request
from adapters.http.responses.caching import FOREVER, PUBLIC
from adapters.http.responses.http_errors import Missing
from adapters.http.responses.responses import Header, Response
from adapters.http.responses.security_headers import OF_PAGES

STATIC = files("adapters.http") / "static"

_LINK = re.compile(r'(?<=["\'])((?:\.\./|/)?static/)([A-Za-z0-9._/-]+)(?=["\'])')
_VARY = b"Accept-Encoding"  # and nothing else: the type of a file is always the same
_TYPES = {"js": "text/javascript", "css": "text/css", "html": "text/html", "svg": "image/svg+xml"}  # on every machine


@frozen
class File:
    """A file in memory."""

    name: str
    content: bytes = field(repr=False)
    version: str = field(init=False)

    @version.default
    def _version(self) -> str:
        return blake2b(self.content, digest_size=8).hexdigest()

    @property
    def media_type(self) -> bytes:
        """Return its media type, with its charset where it is text."""
        suffix = self.name.rpartition(".")[2]
        media_type = _TYPES.get(suffix) or guess_type(self.name)[0] or "application/octet-stream"
        return (f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type).encode()

    @property
    def etag(self) -> bytes:
        """Return its strong etag."""
        return b'"%b"' % self.version.encode()


@frozen(eq=False)
class StaticFiles:
    """The files by their paths, such as `app/list.js`. A change of any of them is a new version of all."""

    _files: dict[str, File] = field(init=False, repr=False)
    version: str = field(init=False)

    @_files.default
    def _read(self) -> dict[str, File]:
        return {name: File(name, each.read_bytes()) for name, each in _found(STATIC)}

    @version.default
    def _version(self) -> str:
        named = "".join(f"{name} {file.version}\n" for name, file in sorted(self._files.items()))
        return blake2b(named.encode(), digest_size=8).hexdigest()

    def page(self, name: str) -> bytes:
        """Return a page whose links to files name their version."""
        return _LINK.sub(self._versioned, self._files[name].content.decode()).encode()

    async def file(self, request: Request) -> Response:
        """Respond with a file, or with a part of it."""
        name = request.parameters["name"].removeprefix(f"{self.version}/")
        file = self._files.get(name)
        if file is None:
            raise Missing("there is no such file")
        request.vary = _VARY
        if name != request.parameters["name"]:
            request.caching = FOREVER
        headers: tuple[Header, ...] = (OF_PAGES,)
        if (known := known_tag(request, file.etag)) is not None:
            return Response(status=304, headers=((b"etag", known), *headers))
        headers += ((b"etag", file.etag), (b"content-type", file.media_type), (b"accept-ranges", b"bytes"))
        part = requested_range(request, len(file.content), file.etag)
        if part is None:
            return Response(headers=headers, body=file.content)
        told = b"bytes %d-%d/%d" % (part.start, part.stop - 1, len(file.content))
        return Response(
            status=206, headers=(*headers, (b"content-range", told)), body=file.content[part.start : part.stop]
        )

    def _versioned(self, link: re.Match[str]) -> str:
        folder, name = link.groups()
        return f"{folder}{self.version}/{name}" if name in self._files else link[0]


def _found(folder: Traversable, inside: str = "") -> Iterator[tuple[str, Traversable]]:
    """Yield each file of a folder and of its folders, with its path."""
    for each in folder.iterdir():
        name = f"{inside}{each.name}"
        if each.is_dir():
            yield from _found(each, f"{name}/")
        else:
            yield name, each


def path(static: StaticFiles) -> Path:
    """Return the path of the files. OpenAPI does not describe it."""
    operation = Operation(
        name="file",
        summary="A file of the pages",
        scope=None,
        handler=static.file,
        replies={},
        caching=PUBLIC,
    )
    return Path(template="/static/{name:path}", operations={"GET": operation})
