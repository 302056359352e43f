"""Waiting for conditions instead of sleeping."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]], *, within: float = 10.0) -> None:
    """Return as soon as a condition holds; TimeoutError where it does not come true in time."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 - it may be about another process
            await asyncio.sleep(0.01)


async def until_true(condition: Callable[[], bool], *, within: float = 10.0) -> None:
    """The same for a condition that needs no waiting itself."""

    async def check() -> bool:
        return condition()

    await until(check, within=within)
