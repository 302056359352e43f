"""Telling whether a worker of this host is alive: ``python -m medici.worker.alive``.

For the health checks of containers, in which a host is one worker. It asks the database, because a
worker that has lost its broker is well, and one that has lost the database is not.
"""

import asyncio
import socket
import sys

from medici.jobs.presence import seconds_since_seen
from medici.kernel.db.database import Database
from medici.settings import Settings

SILENT_SECONDS = 60.0


async def is_alive(database: Database) -> bool:
    """Tell whether a worker of this host was seen lately."""
    async with database.reading() as session:
        silence = await seconds_since_seen(session, host=socket.gethostname())
    return silence is not None and silence < SILENT_SECONDS


async def _main() -> int:
    database = Database.open(Settings().database_url)
    try:
        return 0 if await is_alive(database) else 1
    finally:
        await database.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
