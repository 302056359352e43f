"""Ways for a process to die at a chosen step."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from obstore.store import LocalStore
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.storage.obstore_storage import ObstoreStorage
from medici.kernel.db.database import Database
from medici.kernel.db.driver.transaction import Driver, Work

T = TypeVar("T")


class Crash(BaseException):
    """The end of the process; nothing that handles errors handles this."""


class Fuse:
    """Counts steps while it is armed and blows at the one that it was armed for."""

    def __init__(self) -> None:
        self._left: int | None = None

    def arm(self, steps: int) -> None:
        self._left = steps

    def disarm(self) -> None:
        self._left = None

    def step(self, name: str) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left == 0:
            self._left = None
            raise Crash(name)


class FusedDatabase(Database):
    """May blow right before or right after a commit."""

    def __init__(self, database: Database, fuse: Fuse) -> None:
        super().__init__(database.engine)
        self._fuse = fuse

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        async with super().transaction() as session:
            yield session
            self._fuse.step("before a commit")
        self._fuse.step("after a commit")

    async def carry_out(self, work: Work[T]) -> T:
        async def fused(driver: Driver) -> T:
            result = await work(driver)
            self._fuse.step("before a commit")
            return result

        result = await super().carry_out(fused)
        self._fuse.step("after a commit")
        return result


class FusedStorage(ObstoreStorage):
    """May blow on either side of a write."""

    def __init__(self, directory: Path, fuse: Fuse) -> None:
        directory.mkdir()
        super().__init__(LocalStore(directory), directory)
        self._fuse = fuse

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        self._fuse.step("before a file is written")
        await super().put(key, data, content_type)
        self._fuse.step("after a file is written")
