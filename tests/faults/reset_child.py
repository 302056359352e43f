"""A process that does nothing but a daily reset. Its arguments: a database and a time."""

import asyncio
import sys
from datetime import datetime

from medici.domain.billing.resets import runs as resets
from tests.support.databases import opened


async def reset(url: str, now: datetime) -> None:
    """Begin or join the reset of a day, and go on with it to its end."""
    async with opened(url) as database:
        async with database.transaction() as session:
            run_id = await resets.begin(session, actor="child", dry_run=False, now=now)
        await resets.carry_on(database.transaction, run_id, clock=lambda: now)


if __name__ == "__main__":
    asyncio.run(reset(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
