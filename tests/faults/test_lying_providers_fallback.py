"""Who is asked next when a provider lies: in the order of the route, and never for more money."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.request import Tier
from medici.domain.rendering.models import RenderJob, RenderState
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.kernel.db.database import Database
from tests.support.vendors import BRINGING, ORDERING, Market, Vendor, opened_market

PAID, REFUNDED = (101, 0), (103, 0)
FAL, OPENAI, REPLICATE = Vendor
Way = list[tuple[str, str | None]]


@pytest.fixture
async def market(database: Database, tmp_path: Path) -> AsyncIterator[Market]:
    """fal is asked first, then Replicate, then OpenAI."""
    async with opened_market(database, tmp_path) as market:
        await market.publish(FAL, REPLICATE, OPENAI)
        yield market


async def tried(
    market: Market, faults: Mapping[Vendor, Fault], *, at: Mapping[Vendor, str] = ORDERING
) -> tuple[RenderJob, Way]:
    """Order one picture of liars; return how it ended, who was asked, and how that failed."""
    for vendor, fault in faults.items():
        market.planes[vendor].faults.set(Rule(operation=at[vendor], fault=fault))
    job = await market.settled(await market.studio.order())
    attempts = await market.studio.attempts(job.id)
    return job, [(attempt.provider, attempt.failure_code) for attempt in attempts]


def billed(market: Market) -> dict[str, int]:
    return {vendor: plane.billed for vendor, plane in market.planes.items() if plane.billed}


def of(kind: FaultKind, **more: object) -> Fault:
    return Fault.model_validate({"kind": kind, **more})


class TestFallback:
    async def test_asks_nobody_else_where_the_first_delivers(self, market: Market) -> None:
        job, way = await tried(market, {})

        assert (job.state, way) == (RenderState.SUCCEEDED, [(FAL, None)])
        assert (await market.studio.purse(), billed(market)) == (PAID, {FAL: 1})

    async def test_keeps_the_order_of_the_route(self, market: Market) -> None:
        faults = {FAL: of(FaultKind.AUTH), REPLICATE: of(FaultKind.QUOTA)}

        job, way = await tried(market, faults)

        assert job.state is RenderState.SUCCEEDED
        assert way == [(FAL, FailureCode.AUTH), (REPLICATE, FailureCode.QUOTA), (OPENAI, None)]
        assert (await market.studio.purse(), billed(market)) == (PAID, {OPENAI: 1})

    async def test_does_not_wait_for_whom_is_throttled_for_long(self, market: Market) -> None:
        job, way = await tried(market, {FAL: of(FaultKind.RATE_LIMITED, retry_after=600)})

        assert job.state is RenderState.SUCCEEDED
        assert way == [(FAL, FailureCode.RATE_LIMITED), (REPLICATE, None)]
        assert (await market.studio.purse(), billed(market)) == (PAID, {REPLICATE: 1})

    async def test_goes_on_after_work_that_failed(self, market: Market) -> None:
        job, way = await tried(market, {FAL: of(FaultKind.JOB_FAILED)})

        assert job.state is RenderState.SUCCEEDED
        assert way == [(FAL, FailureCode.PROVIDER_FAILED), (REPLICATE, None)]
        assert (await market.studio.purse(), billed(market)) == (PAID, {REPLICATE: 1})

    async def test_goes_on_after_a_picture_that_is_gone(self, market: Market) -> None:
        job, way = await tried(market, {FAL: of(FaultKind.EXPIRED_URL)}, at=BRINGING)

        assert job.state is RenderState.SUCCEEDED
        assert way == [(FAL, FailureCode.PROVIDER_FAILED), (REPLICATE, None)]
        assert (await market.studio.purse(), billed(market)) == (PAID, {FAL: 1, REPLICATE: 1})

    async def test_tries_a_success_without_a_picture_once_more_before(self, market: Market) -> None:
        job, way = await tried(market, {FAL: of(FaultKind.EMPTY_IMAGES)})

        assert job.state is RenderState.SUCCEEDED
        assert way == [(FAL, FailureCode.NO_OUTPUT)] * 2 + [(REPLICATE, None)]
        assert (await market.studio.purse(), billed(market)) == (PAID, {FAL: 2, REPLICATE: 1})

    async def test_ends_where_nobody_is_left(self, market: Market) -> None:
        faults = {
            FAL: of(FaultKind.AUTH),
            REPLICATE: of(FaultKind.JOB_FAILED),
            OPENAI: of(FaultKind.QUOTA),
        }

        job, way = await tried(market, faults)

        assert (job.state, job.error_code) == (RenderState.FAILED, "provider_dispatch_failed")
        assert [provider for provider, _ in way] == [FAL, REPLICATE, OPENAI]
        assert (await market.studio.purse(), billed(market)) == (REFUNDED, {})


class TestPreview:
    async def test_that_failed_on_fals_machines_is_tried_again_at_once(
        self, market: Market
    ) -> None:
        failing = Rule(operation="submit", calls=(1,), fault=of(FaultKind.JOB_FAILED))
        market.planes[FAL].faults.set(failing)

        job = await market.settled(await market.studio.order(tier=Tier.PREVIEW))

        attempts = await market.studio.attempts(job.id)
        assert [(attempt.provider, attempt.failure_code) for attempt in attempts] == [
            (FAL, FailureCode.UNAVAILABLE),
            (FAL, None),
        ]
        assert (job.state, billed(market)) == (RenderState.SUCCEEDED, {FAL: 1})
        assert [attempt.cost_uncertain for attempt in attempts] == [False, False]


class TestNoFallback:
    @pytest.mark.parametrize(
        ("kind", "state"),
        [
            (FaultKind.MODERATED, RenderState.MODERATED),
            (FaultKind.RESET_AFTER_BODY, RenderState.FAILED),
        ],
    )
    async def test_follows_a_verdict_or_a_doubt(
        self, market: Market, kind: FaultKind, state: RenderState
    ) -> None:
        market.fal.automatic = False  # nobody clears the doubt up

        job, way = await tried(market, {FAL: of(kind)})

        assert job.state is state
        assert len(way) == 1
        assert [market.orders(vendor) for vendor in Vendor] == [1, 0, 0]
        assert await market.studio.purse() == REFUNDED

    async def test_follows_an_input_that_the_provider_cannot_use(self, market: Market) -> None:
        refusal = {"detail": [{"msg": "too small", "type": "image_too_small"}]}

        job, way = await tried(market, {FAL: of(FaultKind.STATUS, status=422, body=refusal)})

        assert (job.state, job.error_code) == (RenderState.FAILED, "invalid_input")
        assert way == [(FAL, FailureCode.INVALID_INPUT)]
        assert (await market.studio.purse(), billed(market)) == (REFUNDED, {})
