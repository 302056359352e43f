"""A process that orders in haste: several batches at once, of customers in any order.

Started as ``python -m tests.domain.rendering.admission.rush URL SEED``. It says ``ready``, begins
when it is told anything, and ends by saying how often each outcome came.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.request import Operation, Tier
from medici.domain.pictures.models import Picture
from medici.domain.rendering.models import IN_FLIGHT, RenderJob
from medici.domain.rendering.orders import Application, ImageSource, RenderOrder
from medici.domain.rendering.service.admission.admit import Outcome, admit
from medici.domain.rendering.service.cancel import cancel
from medici.kernel.db.database import Database
from medici.kernel.errors import MediciError
from medici.kernel.ids import new_id
from tests.doors.support import NOW

HANDS, ROUNDS, LARGEST_BATCH = 4, 8, 8
MOST_IN_FLIGHT = 10
FOREIGN = ImageSource(url="https://example.com/room.jpg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """One hand that orders; ``uploads`` are those of each customer."""

    database: Database
    uploads: dict[str, list[UUID]]
    dice: Random

    async def perform(self) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        for _ in range(ROUNDS):
            came = await self._order()
            outcomes.update(map(_name, came))
            jobs = [outcome for outcome in came if not isinstance(outcome, MediciError)]
            for job in self.dice.sample(jobs, k=len(jobs) // 3):
                async with self.database.transaction() as session:
                    await cancel(session, job.id, user_id=job.user_id, now=NOW)
        return outcomes

    async def _order(self) -> list[Outcome]:
        batch = [self._application() for _ in range(self.dice.randint(1, LARGEST_BATCH))]
        async with self.database.transaction() as session:
            outcomes = await admit(session, batch, now=NOW)
            assert await most_in_flight(session) <= MOST_IN_FLIGHT
        return outcomes

    def _application(self) -> Application:
        user_id = self.dice.choice(list(self.uploads))
        sources = [ImageSource(url="an upload", picture_id=one) for one in self.uploads[user_id]]
        order = RenderOrder(
            project_id="home",
            style_id="modern",
            operation=Operation.RESTYLE,
            image=self.dice.choice([*sources, FOREIGN]),
            mask=self.dice.choice([*sources, None]),
            tier=self.dice.choice(list(Tier)),
        )
        return Application(
            job_id=new_id(), user_id=user_id, order=order, registered=frozenset({"painter"})
        )


async def most_in_flight(session: AsyncSession) -> int:
    """Return how many unfinished renders the busiest customer has."""
    many = select(func.count().label("many")).select_from(RenderJob).where(IN_FLIGHT)
    counts = many.group_by(RenderJob.user_id).subquery()
    return await session.scalar(select(func.max(counts.c.many))) or 0


async def main(url: str, seed: str) -> None:
    database = Database.open(url)
    uploads = await _uploads(database)
    print("ready", flush=True)  # noqa: T201 - its parent listens
    await asyncio.to_thread(sys.stdin.readline)
    hands = [
        Rush(database=database, uploads=uploads, dice=Random(f"{seed}:{number}"))
        for number in range(HANDS)
    ]
    outcomes = await asyncio.gather(*(hand.perform() for hand in hands))
    print(json.dumps(_sum(outcomes)), flush=True)  # noqa: T201 - its parent listens
    await database.close()


async def _uploads(database: Database) -> dict[str, list[UUID]]:
    uploads: dict[str, list[UUID]] = {}
    async with database.reading() as session:
        for owner, picture in await session.execute(select(Picture.owner_id, Picture.id)):
            uploads.setdefault(owner, []).append(picture)
    return uploads


def _name(outcome: Outcome) -> str:
    return type(outcome).__name__ if isinstance(outcome, MediciError) else "admitted"


def _sum(counts: Sequence[Counter[str]]) -> Counter[str]:
    return sum(counts, Counter())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
