"""A process that does nothing but a run of the automation. Its arguments: a database, two times.

The first is when the run began, the second when this process goes on with it.
"""

import asyncio
import sys
from datetime import datetime

from medici.domain.experiments.audit import Act
from medici.domain.experiments.service.automation import Automation
from medici.domain.experiments.service.looking import Look, Openings
from medici.domain.identity.principal import SYSTEM
from medici.kernel.ids import new_id
from tests.support.databases import opened


async def automate(url: str, *, begun_at: datetime, now: datetime) -> None:
    """Begin the run, or go on with it."""
    async with opened(url) as database:
        automation = Automation(
            database=database,
            openings=Openings(reading=database.reading, transaction=database.transaction),
            clock=lambda: now,
        )
        look = Look(now=now, hours=24, dry_run=False, begun_at=begun_at)
        act = Act(operator=SYSTEM, actor="child", now=now)
        await automation.run(new_id(), look, rollout_limit=1000, act=act)


if __name__ == "__main__":
    began, at = map(datetime.fromisoformat, sys.argv[2:])
    asyncio.run(automate(sys.argv[1], begun_at=began, now=at))
