"""Deployments of several processes over one database, where renders cost nothing but credits."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from medici.adapters.providers.request import Operation
from medici.domain.routing import service as routing
from medici.domain.routing.settings import DEFAULT_MODELS, LOCAL, MOCK, ProviderSettings, Route
from medici.jobs.kinds import Queue
from tests.faults.processes import MediciProcess, free_port
from tests.support.databases import opened

PUBLIC_URL = "http://medici.test"  # the same whichever process answers
MEDICI = ("-c", "from medici.cli import app; app()")
CELERY = ("-m", "celery", "-A", "medici.worker")
SERVER_READY = b"Uvicorn running on"
WORKER_READY = b"worker.started"
BEAT_READY = b"beat: Starting"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which processes a deployment has."""

    servers: int = 1
    workers: int = 0
    embedded: bool = True  # where there is no worker, the servers do its work
    lease_seconds: float = 15.0
    broker_url: str | None = None  # with one, the workers are Celery's, and there is a beat
    restyler: str = MOCK  # the provider that restyles
    variables: Mapping[str, str] = field(default_factory=dict)  # what else is to be set
    called_back: bool = False  # whether its public address is really its own

    @property
    def runner(self) -> str:
        if self.broker_url is not None:
            return "celery"
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
    beats: Sequence[MediciProcess] = ()

    @property
    def processes(self) -> list[MediciProcess]:
        return [*self.servers, *self.workers, *self.beats]

    def picture(self, key: str) -> Path:
        """Return where a stored picture lies."""
        return self.directory / "files" / key


@asynccontextmanager
async def deployed(
    database_url: str, directory: Path, layout: Layout = ONE_PROCESS
) -> AsyncIterator[Deployment]:
    """Have a deployment up; every process of it is gone when the block is left."""
    await _route_to(layout.restyler, database_url)
    deployment = _drawn_up(database_url, directory, layout)
    try:
        for process in deployment.processes:
            await process.start()
        await asyncio.gather(*(process.up() for process in deployment.processes))
        yield deployment
    finally:
        await asyncio.gather(*(process.kill() for process in deployment.processes))


def _drawn_up(database_url: str, directory: Path, layout: Layout) -> Deployment:
    directory.mkdir(exist_ok=True)
    ports = [free_port() for _ in range(layout.servers)]
    bases = [f"http://127.0.0.1:{port}" for port in ports]
    settings = {
        "DATABASE_URL": database_url,
        "MEDICI_DATA_DIR": str(directory),
        "MEDICI_PUBLIC_URL": bases[0] if layout.called_back else PUBLIC_URL,
        "MEDICI_RUNNER": layout.runner,
        "MEDICI_JOB_LEASE_SECONDS": str(layout.lease_seconds),
        "MEDICI_LOG_FORMAT": "json",
        "MEDICI_DATABASE_POOL_SIZE": "5",
        "CELERY_BROKER_URL": layout.broker_url or "",
        **layout.variables,
    }
    return Deployment(
        database_url=database_url,
        directory=directory,
        bases=bases,
        servers=[_server(port, settings) for port in ports],
        workers=list(_workers(layout, settings)),
        beats=[_beat(settings)] if layout.broker_url is not None else [],
    )


def _server(port: int, settings: Mapping[str, str]) -> MediciProcess:
    command = (*MEDICI, "serve", "--port", str(port))
    return MediciProcess(command, ready_line=SERVER_READY, settings=settings)


def _workers(layout: Layout, settings: Mapping[str, str]) -> Iterator[MediciProcess]:
    for number in range(layout.workers):
        own = layout.broker_url is None
        command = (*MEDICI, "worker") if own else _celery_worker(f"w{number}@%h")
        yield MediciProcess(command, ready_line=WORKER_READY, settings=settings)


def _celery_worker(name: str) -> tuple[str, ...]:
    return (*CELERY, "worker", "-n", name, "-Q", ",".join(Queue))


def _beat(settings: Mapping[str, str]) -> MediciProcess:
    return MediciProcess((*CELERY, "beat"), ready_line=BEAT_READY, settings=settings)


async def _route_to(provider: str, database_url: str) -> None:
    """Have restyling done by this provider, and repainting on this machine."""
    settings = ProviderSettings(
        default_provider=LOCAL,
        enabled_providers=(provider, LOCAL),
        fallback_chain=(),
        operation_routes={
            Operation.RESTYLE: Route(preview_provider=provider, final_provider=provider)
        },
        part_routes={},
        provider_models=DEFAULT_MODELS,
    )
    async with opened(database_url) as database, database.transaction() as session:
        await routing.install_first_version(session, settings, now=datetime.now(UTC))
