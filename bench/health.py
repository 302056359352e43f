"""How quickly /health answers, at rest and while pictures are being rendered beside it."""

import asyncio
import time
from pathlib import Path

import aiohttp
from tests.faults.load import ORDERS, Customer, arrive

from bench.figures import Figure, percentiles
from bench.knocking import knock, posting
from bench.places import Place, until_idle

PHOTO = Path(__file__).parents[1] / "tests" / "data" / "rooms" / "living-room-1.jpg"
IDLE_SECONDS = 3.0
PAUSE_SECONDS = 0.005
RENDERS = 4


async def measure(place: Place) -> list[Figure]:
    """Ask again and again, first idle and then until four local renders have ended."""
    async with place.served() as deployment:
        base = deployment.bases[0]
        (customer,) = await arrive(base, ["ada"], PHOTO.read_bytes())
        await until_idle(deployment.servers[0].pid)
        idle = await _asked(base, asyncio.create_task(asyncio.sleep(IDLE_SECONDS)))
        busy = await _asked(base, asyncio.create_task(_rendered(base, customer)))
    return [
        *percentiles("/health, idle", place.name, "ms", [idle]),
        *percentiles(
            f"/health during {RENDERS} local renders",
            place.name,
            "ms",
            [busy],
            promises={"p99": "50 ms"},
        ),
    ]


async def _asked(base: str, meanwhile: asyncio.Task[None]) -> list[float]:
    """Ask every few milliseconds until a task has ended; return the milliseconds of each answer."""
    milliseconds: list[float] = []
    async with aiohttp.ClientSession() as session:
        while not meanwhile.done():
            asked_at = time.perf_counter()
            async with session.get(f"{base}/health") as answer:
                await answer.read()
            milliseconds.append(1000 * (time.perf_counter() - asked_at))
            await asyncio.sleep(PAUSE_SECONDS)
    await meanwhile
    return milliseconds


async def _rendered(base: str, customer: Customer) -> None:
    """Order four repaints at once and wait until each has ended."""
    order: dict[str, object] = {
        "project_id": "bench",
        "image_url": customer.image_url,
        "style_id": "modern",
        "operation": "repaint",
    }
    await knock([posting(base + ORDERS, customer, order)] * RENDERS, at_once=RENDERS)
    async with aiohttp.ClientSession(headers=customer.headers) as session:
        ended = 0
        while ended < RENDERS:
            await asyncio.sleep(0.2)
            async with session.get(f"{base}{ORDERS}", params={"status": "completed"}) as answer:
                ended = len((await answer.json())["jobs"])
