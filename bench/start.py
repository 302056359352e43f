"""How long the server takes to its first answer, and how much memory it then has in use."""

import asyncio
import time

import aiohttp
from tests.faults.deployments import Deployment

from bench.figures import Figure
from bench.places import Place, resident_mib, until_idle

ROUNDS = 3
LOOK_SECONDS = 0.01


async def measure(place: Place) -> list[Figure]:
    """Kill a server and start it again, over a database that is up to date."""
    seconds: list[float] = []
    memory: list[float] = []
    async with place.served() as deployment:
        server = deployment.servers[0]
        for _ in range(ROUNDS):
            await server.kill()
            started_at = time.perf_counter()
            await server.start()
            await _first_answer(deployment)
            seconds.append(time.perf_counter() - started_at)
            await until_idle(server.pid)
            memory.append(resident_mib(server.pid))
    return [
        Figure(
            what="start of `medici serve` to first answer",
            where=place.name,
            unit="s",
            rounds=seconds,
            promise="3 s",
        ),
        Figure(
            what="resident memory, idle, worker embedded",
            where=place.name,
            unit="MiB",
            rounds=memory,
            promise="150 MiB",
        ),
    ]


async def _first_answer(deployment: Deployment) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{deployment.bases[0]}/health") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(LOOK_SECONDS)
