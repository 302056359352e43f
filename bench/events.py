"""Analytics events, one a call and 500 a call, beside an empty route of the same server."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from tests.faults.deployments import Deployment, Layout
from tests.faults.load import Customer, arrive
from tests.faults.processes import MediciProcess, free_port

from bench.empty import PATH
from bench.figures import Figure, percentiles
from bench.knocking import Knocked, Request, knock, posting
from bench.places import Place
from medici.kernel.ids import new_id

ROOT = Path(__file__).parents[1]
CUSTOMERS = 32
CONNECTIONS = 32
REQUESTS = 6_000
BATCHES = 20
BATCH = 500
ROUNDS = 5


async def measure(place: Place) -> list[Figure]:
    """Report events of many users, and ask for nothing as often, in turn."""
    single: list[Knocked] = []
    nothing: list[Knocked] = []
    batches: list[Knocked] = []
    async with place.served(Layout(embedded=False)) as deployment:
        names = [f"customer-{n}" for n in range(CUSTOMERS)]
        customers = await arrive(deployment.bases[0], names)
        async with _server(deployment) as base:
            await _knocked(base, customers, 500)
            for _ in range(ROUNDS):
                single.append(await _knocked(base, customers, REQUESTS))
                asked = [posting(base + PATH, customers[0], {})] * REQUESTS
                nothing.append(await knock(asked, at_once=CONNECTIONS))
                batches.append(await knock([_batch(base, customers[0])] * BATCHES, at_once=2))
    return [
        Figure(
            what=f"one analytics event a call, {CONNECTIONS} connections",
            where=place.name,
            unit="/s",
            rounds=[each.per_second for each in single],
            limit="an empty route",
            limit_rounds=[each.per_second for each in nothing],
            promise="ratio 0.5",
        ),
        *percentiles(
            "  an answer to one of them",
            place.name,
            "ms",
            [[1000 * seconds for seconds in each.seconds] for each in single],
        ),
        Figure(
            what=f"{BATCHES * BATCH:,} events, {BATCH} a call",
            where=place.name,
            unit="s",
            rounds=[each.took for each in batches],
            promise="3 s",
        ),
    ]


async def _knocked(base: str, customers: list[Customer], count: int) -> Knocked:
    requests = [_event(base, customers[n % len(customers)]) for n in range(count)]
    knocked = await knock(requests, at_once=CONNECTIONS)
    if set(knocked.statuses) != {200}:
        raise RuntimeError(f"refused: {set(knocked.statuses)}")
    return knocked


def _event(base: str, customer: Customer) -> Request:
    body: dict[str, object] = {
        "event_name": "paywall_viewed",
        "event_id": str(new_id()),
        "platform": "ios",
        "session_id": "s-1",
        "properties": {"screen": "result", "position": 3},
    }
    return posting(f"{base}/v1/analytics/events", customer, body)


def _batch(base: str, customer: Customer) -> Request:
    event = {"event_name": "paywall_viewed", "platform": "ios", "properties": {"position": 3}}
    return posting(f"{base}/v1/analytics/events", customer, {"events": [event] * BATCH})


@asynccontextmanager
async def _server(deployment: Deployment) -> AsyncIterator[str]:
    """Have a server with the empty route over the database of a deployment."""
    port = free_port()
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bench.empty import serve; "
    process = MediciProcess(
        ("-c", f"{start}serve({port})"),
        ready_line=b"Uvicorn running on",
        settings={
            "DATABASE_URL": deployment.database_url,
            "MEDICI_DATA_DIR": str(deployment.directory),
            "MEDICI_RUNNER": "external",
            "MEDICI_LOG_FORMAT": "json",
            "MEDICI_DATABASE_POOL_SIZE": "5",
        },
    )
    await process.start()
    try:
        base = f"http://127.0.0.1:{port}"
        await _answers(base)
        yield base
    finally:
        await process.kill()


async def _answers(base: str) -> None:
    """Wait until the server answers; uvicorn's own word goes unheard without its logs."""
    give_up_at = time.monotonic() + 60
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < give_up_at:
            try:
                async with session.post(base + PATH):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
    raise TimeoutError(base)
