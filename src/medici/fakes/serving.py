"""Running a fake: in a test for as long as a block lasts, or from the command line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

MOST_BODY_BYTES = 64 * 1024 * 1024


@asynccontextmanager
async def serving(
    app: web.Application, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Serve while the block runs and tell the base address; port 0 takes a free one."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        _, taken, *_ = runner.addresses[0]
        yield f"http://[{host}]:{taken}" if ":" in host else f"http://{host}:{taken}"
    finally:
        await runner.cleanup()
