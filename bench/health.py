"""How quickly /health answers, at rest and while pictures are being rendered beside it."""

import asyncio
import time
from pathlib import Path

import aiohttp
from tests.faults.load import ORDERS, Customer, arrive

from bench.figures import Figure, quantile
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
        *_figures(place, "idle", idle, promise=""),
        *_figures(place, f"during {RENDERS} local renders", busy, promise="50 ms"),
    ]


def _figures(place: Place, when: str, seconds: list[float], *, promise: str) -> list[Figure]:
    return [
        Figure(
            what=f"/health {name}, {when}",
            where=place.name,
            unit="ms",
            rounds=[1000 * quantile(seconds, share)],
            promise=promise if share > 0.5 else "",
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


async def _asked(base: str, meanwhile: asyncio.Task[None]) -> list[float]:
    """Ask every few milliseconds until a task has ended; return how long each answer took."""
    seconds: list[float] = []
    async with aiohttp.ClientSession() as session:
        while not meanwhile.done():
            asked_at = time.perf_counter()
            async with session.get(f"{base}/health") as answer:
                await answer.read()
            seconds.append(time.perf_counter() - asked_at)
            await asyncio.sleep(PAUSE_SECONDS)
    await meanwhile
    return seconds


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
