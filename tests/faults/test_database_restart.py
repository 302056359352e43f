"""A database that goes away is answered with 503, and loses nothing when it comes back."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random

import httpx
import pytest

from medici.kernel.db.database import Database
from tests.faults.accounts import books, settled
from tests.faults.deployments import Deployment, Layout, deployed
from tests.faults.journal import Journal
from tests.faults.load import under_load
from tests.faults.postmaster import kill_postmaster, resume
from tests.jobs.waiting import until
from tests.support.databases import PostgresTemplate, opened
from tests.support.servers import TestPostgres
from tests.worker.brokers import Broker

CRASHES = 3
REFUSED_WITHIN_SECONDS = 2.0
BACK_WITHIN_SECONDS = 5.0
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
FULL = (0, resource.RLIM_INFINITY)


@pytest.fixture
def own_postgres() -> Iterator[TestPostgres]:
    """A server that may crash without hurting other tests."""
    server = TestPostgres.start()
    yield server
    server.stop()


class TestCrashOfPostgres:
    @pytest.mark.timeout(180)
    async def test_is_told_at_once_and_survived(
        self, own_postgres: TestPostgres, tmp_path: Path, journal: Journal, draw: Random
    ) -> None:
        async def crash() -> None:
            own_postgres.crash()

        await _survived(own_postgres, tmp_path, journal, draw, layout=Layout(workers=1), end=crash)

    @pytest.mark.timeout(180)
    async def test_is_survived_when_its_first_process_is_killed(
        self,
        own_postgres: TestPostgres,
        broker: Broker,
        tmp_path: Path,
        journal: Journal,
        draw: Random,
    ) -> None:
        async def kill() -> None:
            await kill_postmaster(own_postgres)

        layout = Layout(workers=1, broker_url=broker.url)
        await _survived(own_postgres, tmp_path, journal, draw, layout=layout, end=kill)


async def _survived(
    server: TestPostgres,
    directory: Path,
    journal: Journal,
    draw: Random,
    *,
    layout: Layout,
    end: Callable[[], Awaitable[None]],
) -> None:
    """Have the database ended again and again under load, and see that nothing comes of it."""
    async with (
        _database_of(server, directory) as url,
        deployed(url, directory / "data", layout) as deployment,
    ):
        async with under_load(deployment, journal, draw):
            for _ in range(CRASHES):
                await end()
                await _ready(deployment, False, within=REFUSED_WITHIN_SECONDS)
                await resume(server)
                await _ready(deployment, True, within=BACK_WITHIN_SECONDS)
        async with opened(url) as database:
            await settled(database, within=60)
            told = await books(database, journal, deployment)

    assert told.discrepancies() == []
    assert set(told.answers) <= {0, 200, 409, 429, 503}, _faults(deployment)
    assert 503 in told.answers
    assert all(line.retry_after for line in told.lines if line.status == 503)


class TestFullDisk:
    @pytest.mark.parametrize("template", ["sqlite"], indirect=True)
    @pytest.mark.timeout(180)
    async def test_is_told_and_leaves_nothing_half_done(
        self, database: Database, database_url: str, tmp_path: Path, journal: Journal, draw: Random
    ) -> None:
        async with deployed(database_url, tmp_path / "data") as deployment:
            server = deployment.servers[0]
            async with under_load(deployment, journal, draw):
                await asyncio.sleep(1.0)
                with _full_disk(server.pid):
                    await _refused(journal)
                freed_at, known = time.monotonic(), _acknowledged(journal)
                await until(lambda: _more_than(journal, known), within=BACK_WITHIN_SECONDS)
                assert time.monotonic() - freed_at < BACK_WITHIN_SECONDS
            await settled(database, within=60)
            told = await books(database, journal, deployment)

        assert told.discrepancies() == []
        assert set(told.answers) <= {200, 409, 429, 503}
        assert all(line.retry_after for line in told.lines if line.status == 503)


def _faults(deployment: Deployment) -> str:
    """Return what the servers said about answers of theirs that nobody foresaw."""
    said = b"".join(bytes(server.said) for server in deployment.servers).decode()
    return "\n".join(line[-3000:] for line in said.splitlines() if "http.fault" in line)


@asynccontextmanager
async def _database_of(server: TestPostgres, directory: Path) -> AsyncIterator[str]:
    template = await asyncio.to_thread(PostgresTemplate, server.url, "template_medici")
    async with template.copy(directory) as url:
        yield url


async def _ready(deployment: Deployment, wanted: bool, *, within: float) -> None:
    """Wait until every server says that it is ready, or that it is not."""
    async with httpx.AsyncClient(timeout=10) as client:

        async def agreed() -> bool:
            answers = [(await client.get(f"{base}/readyz")) for base in deployment.bases]
            return all(answer.is_success is wanted for answer in answers)

        await until(agreed, within=within)


@contextmanager
def _full_disk(pid: int) -> Iterator[None]:
    """Forbid a running process to make any file longer, which is what a full disk does."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, FULL)
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, UNLIMITED)


async def _refused(journal: Journal) -> None:
    """Wait until some customers have been sent away."""

    async def refused() -> bool:
        return sum(line.status == 503 for line in journal.lines()) >= 5

    await until(refused, within=20)


def _acknowledged(journal: Journal) -> int:
    return sum(line.acknowledges for line in journal.lines())


async def _more_than(journal: Journal, known: int) -> bool:
    return _acknowledged(journal) > known
