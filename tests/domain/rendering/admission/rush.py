"""A process in haste: several batches at once are ordered, begun and ended, in any order.

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

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import Cost, Observation, Phase
from medici.adapters.providers.request import Operation, Tier
from medici.domain.pictures.models import Picture, Purpose
from medici.domain.pictures.service import PictureFacts
from medici.domain.rendering.models import IN_FLIGHT, RenderJob
from medici.domain.rendering.orders import Application, ImageSource, RenderOrder
from medici.domain.rendering.service.admission.admit import Outcome, admit_on
from medici.domain.rendering.service.beginning import (
    Beginning,
    Begun,
    Vendors,
    begin_all,
)
from medici.domain.rendering.service.beginning import Outcome as BeginOutcome
from medici.domain.rendering.service.cancel import cancel
from medici.domain.rendering.service.delivering import Delivery, deliver_all
from medici.domain.rendering.service.settle import fail_attempt
from medici.kernel.db.database import Database
from medici.kernel.errors import MediciError
from medici.kernel.ids import new_id
from tests.doors.support import NOW

HANDS, ROUNDS, LARGEST_BATCH = 4, 5, 8
MOST_IN_FLIGHT = 4
VENDORS = Vendors(caps={"painter": 20})
PRICE = Cost(amount_micros=1)
FACTS = PictureFacts(content_type="image/png", width=8, height=8, size_bytes=8)
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
            jobs = [outcome.id for outcome in came if not isinstance(outcome, MediciError)]
            begun = [one for one in await self._begin(jobs) if isinstance(one, Begun)]
            await self._end(begun)
        return outcomes

    async def _order(self) -> list[Outcome]:
        batch = [self._application() for _ in range(self.dice.randint(1, LARGEST_BATCH))]
        outcomes = await self.database.carry_out(lambda driver: admit_on(driver, batch, now=NOW))
        async with self.database.reading() as session:
            assert await most_in_flight(session) <= MOST_IN_FLIGHT
        return outcomes

    async def _begin(self, jobs: list[UUID]) -> list[BeginOutcome]:
        chosen = self.dice.sample(jobs, k=len(jobs) * 2 // 3)
        batch = [
            Beginning(job_id=job, vendors=VENDORS, estimate=lambda _: PRICE, now=NOW)
            for job in chosen
        ]
        return await self.database.carry_out(lambda driver: begin_all(driver, batch))

    async def _end(self, begun: list[Begun]) -> None:
        """Deliver most of the renders together; the others fail, or are canceled."""
        delivered = []
        for one in begun:
            match self.dice.randrange(6):
                case 0:
                    async with self.database.transaction() as session:
                        await cancel(session, one.job.id, user_id=one.job.user_id, now=NOW)
                case 1:
                    await self._fail(one)
                case _:
                    delivered.append(_delivery(one))
        await self.database.carry_out(lambda driver: deliver_all(driver, delivered))

    async def _fail(self, one: Begun) -> None:
        code = self.dice.choice((FailureCode.UNAVAILABLE, FailureCode.MODERATED))
        async with self.database.transaction() as session:
            await fail_attempt(
                session,
                one.job.id,
                one.attempt.id,
                ProviderFailure(code, "said no"),
                cost=None,
                chance=0.5,
                now=NOW,
            )

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
            job_id=new_id(),
            user_id=user_id,
            order=order,
            registered=frozenset({"painter", "sculptor"}),
        )


def _delivery(one: Begun) -> Delivery:
    return Delivery(
        job_id=one.job.id,
        attempt_id=one.attempt.id,
        facts=FACTS,
        ref={},
        observation=Observation(phase=Phase.SUCCEEDED),
        now=NOW,
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
        for owner, picture in await session.execute(
            select(Picture.owner_id, Picture.id).where(Picture.purpose == Purpose.UPLOAD)
        ):
            uploads.setdefault(owner, []).append(picture)
    return uploads


def _name(outcome: Outcome) -> str:
    return type(outcome).__name__ if isinstance(outcome, MediciError) else "admitted"


def _sum(counts: Sequence[Counter[str]]) -> Counter[str]:
    return sum(counts, Counter())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
