"""Deployments of several processes over one database, where renders cost nothing but credits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from medici.adapters.providers.request import Operation
from medici.domain.routing import service as routing
from medici.domain.routing.settings import DEFAULT_MODELS, LOCAL, MOCK, ProviderSettings, Route
from tests.faults.processes import MediciProcess, free_port
from tests.support.databases import opened

PUBLIC_URL = "http://medici.test"  # the same whichever process answers
MEDICI = ("-c", "from medici.cli import app; app()")
SERVER_READY = b"Uvicorn running on"
WORKER_READY = b"worker.started"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which processes a deployment has."""

    servers: int = 1
    workers: int = 0
    embedded: bool = True  # where there is no worker, the servers do its work
    lease_seconds: float = 15.0

    @property
    def runner(self) -> str:
        return "embedded" if self.embedded and not self.workers else "external"


ONE_PROCESS = Layout()


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """Processes over one database and one directory of pictures."""

    database_url: str
    directory: Path
    bases: Sequence[str]
    servers: Sequence[MediciProcess]
    workers: Sequence[MediciProcess]

    @property
    def processes(self) -> list[MediciProcess]:
        return [*self.servers, *self.workers]

    def picture(self, key: str) -> Path:
        """Return where a stored picture lies."""
        return self.directory / "files" / key


@asynccontextmanager
async def deployed(
    database_url: str, directory: Path, layout: Layout = ONE_PROCESS
) -> AsyncIterator[Deployment]:
    """Have a deployment up; every process of it is gone when the block is left."""
    await _route_to_mock(database_url)
    deployment = _drawn_up(database_url, directory, layout)
    try:
        for process in deployment.processes:
            await process.start()
        await asyncio.gather(*(process.up() for process in deployment.processes))
        yield deployment
    finally:
        await asyncio.gather(*(process.kill() for process in deployment.processes))


def _drawn_up(database_url: str, directory: Path, layout: Layout) -> Deployment:
    settings = {
        "DATABASE_URL": database_url,
        "MEDICI_DATA_DIR": str(directory),
        "MEDICI_PUBLIC_URL": PUBLIC_URL,
        "MEDICI_RUNNER": layout.runner,
        "MEDICI_JOB_LEASE_SECONDS": str(layout.lease_seconds),
        "MEDICI_LOG_FORMAT": "json",
        "MEDICI_DATABASE_POOL_SIZE": "5",
    }
    directory.mkdir(exist_ok=True)
    ports = [str(free_port()) for _ in range(layout.servers)]
    return Deployment(
        database_url=database_url,
        directory=directory,
        bases=[f"http://127.0.0.1:{port}" for port in ports],
        servers=[
            MediciProcess(
                (*MEDICI, "serve", "--port", port), ready_line=SERVER_READY, settings=settings
            )
            for port in ports
        ],
        workers=[
            MediciProcess((*MEDICI, "worker"), ready_line=WORKER_READY, settings=settings)
            for _ in range(layout.workers)
        ],
    )


async def _route_to_mock(database_url: str) -> None:
    """Have restyling done by the provider that only pretends, and repainting on this machine."""
    settings = ProviderSettings(
        default_provider=LOCAL,
        enabled_providers=(MOCK, LOCAL),
        fallback_chain=(),
        operation_routes={Operation.RESTYLE: Route(preview_provider=MOCK, final_provider=MOCK)},
        part_routes={},
        provider_models=DEFAULT_MODELS,
    )
    async with opened(database_url) as database, database.transaction() as session:
        await routing.install_first_version(session, settings, now=datetime.now(UTC))
