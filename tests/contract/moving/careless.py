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

    taking: Import
    distort: Callable[[Part], Part | None]

    async def write(self, part: Part) -> None:
        distorted = self.distort(part)
        if distorted is not None:
            await self.taking.write(distorted)

    async def arrange(self) -> None:
        await self.taking.arrange()

    @property
    def taken(self) -> Export:
        return self.taking.taken

    async def commit(self) -> None:
        await self.taking.commit()
