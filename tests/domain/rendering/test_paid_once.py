"""Every second answer of a real adapter's provider is lost: nothing is bought twice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest

from medici.adapters.providers.fal.provider import FalProvider
from medici.adapters.providers.fal.wire import Bases
from medici.adapters.providers.openai.provider import OpenAIProvider
from medici.adapters.providers.provider import ProviderRegistry
from medici.domain.prices.price_list import MediciPrices
from medici.domain.rendering.models import RenderState
from medici.domain.rendering.service.news import take_news
from medici.fakes.fal.app import fal_app
from medici.fakes.fal.deliveries import Courier
from medici.fakes.fal.progress import Pace
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.openai.app import openai_app
from medici.fakes.plane import Plane
from medici.fakes.serving import serving
from medici.kernel.db.database import Database
from medici.kernel.net.client import OutgoingClient
from tests.support.painters import Painter
from tests.support.pixels import InProcess
from tests.support.studio import Studio, opened_studio

ORDERS = 20
PUBLIC = "http://shop.example"  # plain, as the fake's own queue is


def every_second_lost(operation: str) -> Rule:
    fault = Fault(kind=FaultKind.RESET_AFTER_BODY)
    return Rule(fault=fault, operation=operation, every=2)


@dataclass(frozen=True, kw_only=True)
class Scene:
    studio: Studio
    fal: Plane
    openai: Plane


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    fal, openai, pace = Plane(seed=1), Plane(seed=2), Pace(seconds=0)
    async with (
        serving(fal_app(fal, pace, Courier(fal, pace))) as queue,
        serving(openai_app(openai)) as images,
        opened_studio(database, tmp_path, Painter()) as bare,
    ):
        allowed = frozenset(base.removeprefix("http://") for base in (queue, images))
        async with OutgoingClient(allow=allowed) as outgoing:
            providers = ProviderRegistry.of(
                FalProvider(
                    outgoing=outgoing,
                    key="key",
                    prices=MediciPrices(),
                    bases=Bases(queue=queue, rest=queue, keys=queue),
                ),
                OpenAIProvider(
                    outgoing=outgoing,
                    key="key",
                    prices=MediciPrices(),
                    pixels=InProcess(),
                    base=f"{images}/v1",
                ),
            )
            settings = bare.resources.settings.model_copy(update={"medici_public_url": PUBLIC})
            resources = replace(bare.resources, providers=providers, settings=settings)
            studio = Studio(resources, bare.clock)
            await studio.customer()
            yield Scene(studio=studio, fal=fal, openai=openai)


async def ordered(studio: Studio, *, caller: Plane | None = None) -> list[UUID]:
    """Order pictures one after the other, each to its end; lost work is named by its ``caller``."""
    jobs = []
    for _ in range(ORDERS):
        jobs.append(await studio.order())
        await studio.work()
        if caller is not None:
            await call(studio, jobs[-1], caller)
        await studio.finish()
    return jobs


async def call(studio: Studio, job_id: UUID, caller: Plane) -> None:
    """Have fal's webhook arrive for an attempt whose work is not known yet."""
    (attempt,) = await studio.attempts(job_id)
    if attempt.ref is not None:
        return
    newest = list(caller.work.values())[-1]
    async with studio.database.transaction() as session:
        await take_news(
            session,
            provider="fal",
            attempt_id=attempt.id,
            ref={"request_id": newest.id},
            now=studio.clock(),
        )


class TestLostAnswers:
    async def test_of_a_synchronous_provider_cost_one_picture_each(self, scene: Scene) -> None:
        await scene.studio.publish("openai", model="gpt-image-1-mini")
        scene.openai.faults.set(every_second_lost("edit"))

        jobs = await ordered(scene.studio)

        lost = [job for job in jobs if (await scene.studio.job(job)).state is RenderState.FAILED]
        assert scene.openai.billed / ORDERS == 1.0
        assert len(lost) == ORDERS / 2
        for job_id in lost:  # each is visible, and booked as one that may have cost something
            (attempt,) = await scene.studio.attempts(job_id)
            assert attempt.cost_uncertain
            assert attempt.estimated_cost_micros > 0
            assert (await scene.studio.job(job_id)).error_code == "provider_outcome_uncertain"

    async def test_of_a_queue_that_calls_heal_themselves(self, scene: Scene) -> None:
        await scene.studio.publish("fal", model="fal-ai/flux/dev/image-to-image")
        scene.fal.faults.set(every_second_lost("submit"))

        jobs = await ordered(scene.studio, caller=scene.fal)

        states = {(await scene.studio.job(job)).state for job in jobs}
        assert states == {RenderState.SUCCEEDED}
        assert scene.fal.billed / ORDERS == 1.0
