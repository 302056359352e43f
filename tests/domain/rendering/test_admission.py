"""A batch of orders is decided as the same orders one by one."""

import asyncio
import random

import pytest

from medici.adapters.providers.request import Operation, Tier
from medici.domain.rendering.errors import CreditsMissing, TooManyJobsInFlight
from medici.domain.rendering.models import RenderJob
from medici.domain.rendering.orders import Application, ImageSource, RenderOrder
from medici.domain.rendering.service.admission.admit import Outcome, admit
from medici.kernel.ids import new_id
from tests.support.studio import Studio


async def together(studio: Studio, *batches: list[Application]) -> list[Outcome]:
    """Admit each batch in a transaction of its own, all at once."""

    async def written(batch: list[Application]) -> list[Outcome]:
        async with studio.database.transaction() as session:
            return await admit(session, batch, now=studio.clock())

    outcomes = await asyncio.gather(*map(written, batches))
    return [outcome for batch in outcomes for outcome in batch]


def application(studio: Studio, user_id: str, tier: Tier, image: ImageSource) -> Application:
    return Application(
        job_id=new_id(),
        user_id=user_id,
        order=RenderOrder(
            project_id="home",
            style_id="modern",
            operation=Operation.RESTYLE,
            image=image,
            tier=tier,
        ),
        registered=studio.resources.providers.names,
    )


def told(outcome: Outcome) -> tuple[object, ...]:
    if isinstance(outcome, RenderJob):
        return (outcome.credits, outcome.provider, outcome.prompt)
    return (type(outcome), str(outcome))


class TestAdmit:
    @pytest.mark.parametrize("seed", range(4))
    async def test_does_the_same_as_one_by_one(self, studio: Studio, seed: int) -> None:
        chance = random.Random(seed)
        credits = {name: chance.choice([0, 1, 3, 30]) for name in ("bo", "cy", "di")}
        plan = [(chance.choice(list(credits)), chance.choice(list(Tier))) for _ in range(24)]
        image = ImageSource(url="https://example.com/room.jpg")
        for side in ("batch", "alone"):
            for name, amount in credits.items():
                await studio.customer(f"{side}-{name}", credits=amount)

        at_once, alone = (
            [application(studio, f"{side}-{name}", tier, image) for name, tier in plan]
            for side in ("batch", "alone")
        )
        batched = await together(studio, at_once)
        single = [(await together(studio, [each]))[0] for each in alone]

        assert [told(outcome) for outcome in batched] == [told(outcome) for outcome in single]
        for name in credits:
            assert await studio.purse(f"batch-{name}") == await studio.purse(f"alone-{name}")

    async def test_never_spends_twice_in_two_batches_at_once(self, studio: Studio) -> None:
        for name in ("bo", "cy"):
            await studio.customer(name, credits=0)
        image = ImageSource(url="https://example.com/room.jpg")
        batches = [
            [application(studio, name, Tier.PREVIEW, image) for name in names]
            for names in (["bo", "cy"] * 8, ["cy", "bo"] * 8)
        ]

        outcomes = await together(studio, *batches)

        jobs = [outcome for outcome in outcomes if isinstance(outcome, RenderJob)]
        refused = {type(each) for each in outcomes if not isinstance(each, RenderJob)}
        assert refused <= {CreditsMissing, TooManyJobsInFlight}
        for name in ("bo", "cy"):
            _, held = await studio.purse(name)
            assert held == sum(job.credits for job in jobs if job.user_id == name) > 0
