"""Where is measured: servers over a fresh database of either kind, durable as in production."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.deployments import ONE_PROCESS, Deployment, Layout, deployed
from tests.support.databases import PostgresTemplate, opened
from tests.support.schema import create_schema
from tests.support.servers import TestPostgres

from medici.domain.plans.models import Variable
from medici.domain.plans.variables import MAX_JOBS_IN_FLIGHT_PER_USER

DURABLE = "max_connections = 200\nshared_buffers = 256MB\n"  # fsync stays on, as it is by default
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A kind of database; every measurement gets an empty one of it."""

    name: str
    template: PostgresTemplate | None = None

    @asynccontextmanager
    async def served(self, layout: Layout = ONE_PROCESS) -> AsyncIterator[Deployment]:
        """Have processes up over an empty database with every table."""
        async with AsyncExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            url = await stack.enter_async_context(self._database(directory))
            await _lift_limit(url)
            yield await stack.enter_async_context(deployed(url, directory / "data", layout))

    @asynccontextmanager
    async def _database(self, directory: Path) -> AsyncIterator[str]:
        if self.template is not None:
            async with self.template.copy(directory) as url:
                yield url
        else:
            url = f"sqlite:///{directory}/app.db"
            await create_schema(url)
            yield url


@contextmanager
def places() -> Iterator[list[Place]]:
    """Give both databases; PostgreSQL is started from its wheel."""
    server = TestPostgres.start(DURABLE)
    try:
        template = PostgresTemplate(server.url, "template_bench")
        yield [Place(name="sqlite"), Place(name="postgresql", template=template)]
    finally:
        server.stop()


async def _lift_limit(url: str) -> None:
    """Let one customer have as many renders in progress as a measurement wants."""
    async with opened(url) as database, database.transaction() as session:
        session.add(
            Variable(
                key=MAX_JOBS_IN_FLIGHT_PER_USER.key, value=10_000, updated_at=datetime.now(UTC)
            )
        )


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(pid: int) -> float:
    """Return how much memory a process has in use."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def until_idle(pid: int) -> None:
    """Wait until a process has done next to nothing for half a second."""
    used = -1.0
    while cpu_seconds(pid) - used > 0.02:
        used = cpu_seconds(pid)
        await asyncio.sleep(0.5)
