"""Empty databases with every table, made quickly: copied from a template that was made once."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import asyncpg
from sqlalchemy.engine import make_url

from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from tests.support.schema import create_schema


class Template(Protocol):
    """Something that gives empty databases."""

    def copy(self, directory: Path) -> AbstractAsyncContextManager[str]: ...


class SqliteTemplate:
    """A SQLite file with every table; each test gets a copy."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "template.db"
        asyncio.run(create_schema(f"sqlite:///{self._file}"))

    @asynccontextmanager
    async def copy(self, directory: Path) -> AsyncIterator[str]:
        target = directory / "test.db"
        shutil.copyfile(self._file, target)
        yield f"sqlite:///{target}"


class PostgresTemplate:
    """A PostgreSQL database with every table; each test gets a clone."""

    def __init__(self, server_url: str, name: str) -> None:
        self._server = server_url
        self._name = name
        asyncio.run(self._create())

    async def _create(self) -> None:
        await self._run(f'DROP DATABASE IF EXISTS "{self._name}"')
        await self._run(f'CREATE DATABASE "{self._name}"')
        await create_schema(self._url_of(self._name))

    @asynccontextmanager
    async def copy(self, directory: Path) -> AsyncIterator[str]:
        name = f"test_{new_id().hex}"
        await self._run(f'CREATE DATABASE "{name}" TEMPLATE "{self._name}" STRATEGY FILE_COPY')
        try:
            yield self._url_of(name)
        finally:
            await self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _url_of(self, name: str) -> str:
        return make_url(self._server).set(database=name).render_as_string(hide_password=False)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database.open(url)
    try:
        yield database
    finally:
        await database.close()
