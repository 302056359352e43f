"""Where renders are measured: a server, a Celery worker, and the stand-in as their provider."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from tests.faults.deployments import Deployment, Layout
from tests.faults.load import ORDERS, Customer, arrive
from tests.faults.processes import MediciProcess
from tests.support.databases import opened
from tests.worker.brokers import Broker

from bench.knocking import Request, knock, posting
from bench.places import Place
from bench.stand_in import environment, stand_in
from medici.domain.rendering.models import TERMINAL, RenderJob, RenderState
from medici.domain.routing.settings import OPENAI
from medici.kernel.db.database import Database

CUSTOMERS = 32
AT_ONCE = 256  # renders that the worker has under way
CONNECTIONS = 10
LOOK_SECONDS = 0.2  # a look costs the machine that is measured
PATIENCE_SECONDS = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """A deployment over a fresh database, whose customers have credits and a photo."""

    deployment: Deployment
    database: Database
    broker: Broker
    provider: str  # where the stand-in listens
    orders: Sequence[Request]  # one of each customer

    @property
    def server(self) -> MediciProcess:
        return self.deployment.servers[0]

    @property
    def worker(self) -> MediciProcess:
        return self.deployment.workers[0]

    async def admit(self, count: int) -> None:
        """Have renders admitted over HTTP, by the customers in turn."""
        wanted = [self.orders[n % len(self.orders)] for n in range(count)]
        knocked = await knock(wanted, at_once=min(count, len(self.orders)))
        if set(knocked.statuses) != {200}:
            raise RuntimeError(f"refused: {set(knocked.statuses)}")

    async def until_delivered(self) -> None:
        """Wait until every render has ended, and see that each brought its picture."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self._count(RenderJob.state.not_in(TERMINAL)):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS)
        if failed := await self._count(RenderJob.state != RenderState.SUCCEEDED):
            raise RuntimeError(f"{failed} renders brought no picture")

    async def _count(self, which: ColumnElement[bool]) -> int:
        async with self.database.reading() as session:
            return await session.scalar(select(func.count(RenderJob.id)).where(which)) or 0


@asynccontextmanager
async def studio(place: Place) -> AsyncIterator[Studio]:
    """Have all of it up while the block runs."""
    async with AsyncExitStack() as stack:
        broker = Broker()
        stack.callback(broker.close)
        provider = await stack.enter_async_context(stand_in())
        deployment = await stack.enter_async_context(place.served(_layout(broker, provider)))
        base = deployment.bases[0]
        customers = await arrive(base, [f"customer-{n}" for n in range(CUSTOMERS)])
        yield Studio(
            deployment=deployment,
            database=await stack.enter_async_context(opened(deployment.database_url)),
            broker=broker,
            provider=provider,
            orders=[posting(base + ORDERS, customer, _order(customer)) for customer in customers],
        )


def _layout(broker: Broker, provider: str) -> Layout:
    return Layout(
        workers=1,
        broker_url=broker.url,
        restyler=OPENAI,
        variables={
            "MEDICI_WORKER_CONCURRENCY": str(AT_ONCE),
            "MEDICI_DATABASE_POOL_SIZE": str(CONNECTIONS),
            **environment(provider),
        },
    )


def _order(customer: Customer) -> dict[str, object]:
    return {
        "project_id": "bench",
        "image_url": customer.image_url,
        "style_id": "modern",
        "operation": "restyle",
    }
