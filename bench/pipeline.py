"""What a render costs us from admission to its picture, without the provider's work."""

import asyncio

from sqlalchemy import func, select
from tests.faults.load import ORDERS, arrive
from tests.support.databases import opened

from bench.figures import Figure
from bench.knocking import knock, posting
from bench.places import Place, cpu_seconds
from medici.domain.rendering.models import TERMINAL, RenderJob
from medici.kernel.db.database import Database

ROUNDS = 3
RENDERS = 30


async def measure(place: Place) -> list[Figure]:
    """Have the mock provider serve renders, and count the processor time of the one process."""
    cpu: list[float] = []
    async with place.served() as deployment, opened(deployment.database_url) as database:
        (customer,) = await arrive(deployment.bases[0], ["ada"])
        pid = deployment.servers[0].pid
        order: dict[str, object] = {
            "project_id": "bench",
            "image_url": customer.image_url,
            "style_id": "modern",
            "operation": "restyle",
        }
        for _ in range(ROUNDS):
            used = cpu_seconds(pid)
            await knock(
                [posting(deployment.bases[0] + ORDERS, customer, order)] * RENDERS, at_once=8
            )
            await _ended(database)
            cpu.append(1000 * (cpu_seconds(pid) - used) / RENDERS)
    return [
        Figure(
            what="render, CPU from admission to picture",
            where=place.name,
            unit="ms",
            rounds=cpu,
            promise="4 ms",
        )
    ]


async def _ended(database: Database) -> None:
    unfinished = select(func.count()).where(RenderJob.state.not_in(TERMINAL))
    while True:
        async with database.reading() as session:
            if not await session.scalar(unfinished):
                return
        await asyncio.sleep(0.2)
