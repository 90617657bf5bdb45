"""An import that changes the data."""

from collections.abc import Callable

from attrs import define

from domain.snapshot import (
    Export,
    Import,
    Part,
)


@define
class Careless(Import):
    """Imports altered parts."""

    importer: Import
    distort: Callable[[Part], Part | None]

    async def write(self, part: Part) -> None:
        distorted = self.distort(part)
        if distorted is not None:
            await self.importer.write(distorted)

    async def arrange(self) -> None:
        await self.importer.arrange()

    @property
    def taken(self) -> Export:
        return self.importer.taken

    async def commit(self) -> None:
        await self.importer.commit()
