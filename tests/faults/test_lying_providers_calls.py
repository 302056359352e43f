"""Webhooks that come too early, twice, late, forged, about other work, or never."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from medici.domain.rendering.models import RenderState
from medici.fakes.fal.deliveries import Delivery, Letter
from medici.fakes.fal.signing import KeyAge
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.kernel.db.database import Database
from tests.support.vendors import ASKING, BRINGING, ORDERING, Market, Vendor, opened_market

PAID, REFUNDED = (101, 0), (103, 0)
QUEUES = [Vendor.FAL, Vendor.REPLICATE]
LOST = Fault(kind=FaultKind.RESET_AFTER_BODY)


@pytest.fixture
async def market(database: Database, tmp_path: Path) -> AsyncIterator[Market]:
    async with opened_market(database, tmp_path) as market:
        await market.publish(Vendor.FAL)
        yield market


@pytest.fixture
def silent(market: Market) -> Market:
    """fal calls nobody by itself."""
    market.fal.automatic = False
    return market


def asked(market: Market, vendor: Vendor, operation: str) -> int:
    return sum(1 for one in market.planes[vendor].asked if one.operation == operation)


async def sent(market: Market) -> tuple[UUID, Delivery]:
    """Order a picture that fal has taken, and return the webhook that belongs to it."""
    job_id = await market.studio.order()
    await market.studio.work()
    delivery = market.fal.delivery(None)
    assert delivery is not None
    return job_id, delivery


async def delivered_once(market: Market, vendor: Vendor, job_id: UUID) -> None:
    job = await market.settled(job_id)
    assert job.state is RenderState.SUCCEEDED
    assert (market.orders(vendor), market.planes[vendor].billed) == (1, 1)
    assert asked(market, vendor, BRINGING[vendor]) == 1
    assert await market.studio.purse() == PAID


class TestEarlyCall:
    async def test_of_fal_is_to_come_again(self, market: Market) -> None:
        market.fal.overtakes = 1

        await delivered_once(market, Vendor.FAL, await market.studio.order())

        assert market.door.answers == [503, 204]

    async def test_of_replicate_is_to_come_again(self, market: Market) -> None:
        await market.publish(Vendor.REPLICATE)
        market.replicate.answer_seconds = 0.3

        await delivered_once(market, Vendor.REPLICATE, await market.studio.order())

        assert market.door.answers[0] == 503
        assert market.door.answers[-1] == 204


class TestCallThatComesTwice:
    @pytest.mark.parametrize("vendor", QUEUES)
    async def test_is_one_picture(self, market: Market, vendor: Vendor) -> None:
        await market.publish(vendor)
        market.fal.copies = market.replicate.deliveries = 2

        await delivered_once(market, vendor, await market.studio.order())

        assert market.door.answers == [204, 204]

    async def test_has_no_effect_after_the_end(self, market: Market) -> None:
        job_id, delivery = await sent(market)
        await delivered_once(market, Vendor.FAL, job_id)
        looks = asked(market, Vendor.FAL, ASKING[Vendor.FAL])

        for _ in range(3):
            assert await market.fal.send(market.fal.letter(delivery)) == 204

        await delivered_once(market, Vendor.FAL, job_id)
        assert asked(market, Vendor.FAL, ASKING[Vendor.FAL]) == looks

    @pytest.mark.parametrize("vendor", QUEUES)
    async def test_heals_a_lost_answer_once(self, market: Market, vendor: Vendor) -> None:
        await market.publish(vendor)
        market.fal.copies = market.replicate.deliveries = 2
        market.planes[vendor].faults.set(Rule(operation=ORDERING[vendor], fault=LOST))

        await delivered_once(market, vendor, await market.studio.order())


class TestForgedCall:
    @staticmethod
    def forged(market: Market, delivery: Delivery, how: str) -> Letter:
        letter, now = market.fal.letter(delivery), market.planes[Vendor.FAL].now()
        match how:
            case "tampered":
                return replace(letter, body=letter.body + b" ")
            case "unsigned":
                return replace(letter, headers={})
        age = KeyAge.WITHDRAWN if how == "withdrawn key" else KeyAge.CURRENT
        at = now if how == "withdrawn key" else now.replace(year=2020)
        headers = market.fal.keys.headers(delivery.work.id, letter.body, at=at, key=age)
        return replace(letter, headers=headers)

    @pytest.mark.parametrize("how", ["tampered", "unsigned", "withdrawn key", "stale"])
    async def test_does_not_make_us_look(self, silent: Market, how: str) -> None:
        job_id, delivery = await sent(silent)

        answer = await silent.fal.send(self.forged(silent, delivery, how))
        await silent.studio.work()

        assert answer == 401
        assert asked(silent, Vendor.FAL, ASKING[Vendor.FAL]) == 0
        await delivered_once(silent, Vendor.FAL, job_id)

    async def test_about_other_work_is_refused(self, silent: Market) -> None:
        job_id, delivery = await sent(silent)
        _, other = await sent(silent)

        answer = await silent.fal.send(
            replace(silent.fal.letter(other), url=silent.fal.letter(delivery).url)
        )
        await silent.studio.work()

        assert answer == 404
        assert asked(silent, Vendor.FAL, ASKING[Vendor.FAL]) == 0
        assert (await silent.settled(job_id)).state is RenderState.SUCCEEDED


class TestCallThatLies:
    """It is a hint: what counts is what the queue answers."""

    async def test_is_not_believed_that_the_work_failed(self, silent: Market) -> None:
        job_id, delivery = await sent(silent)
        lie: dict[str, object] = {
            "request_id": delivery.work.id,
            "status": "ERROR",
            "error": "it burnt down",
        }

        assert await self.said(silent, delivery, lie) == 204

        await delivered_once(silent, Vendor.FAL, job_id)

    async def test_is_not_believed_that_the_work_succeeded(self, silent: Market) -> None:
        failing = Fault(kind=FaultKind.JOB_FAILED)
        silent.planes[Vendor.FAL].faults.set(Rule(operation="submit", fault=failing))
        job_id, delivery = await sent(silent)
        lie: dict[str, object] = {
            "request_id": delivery.work.id,
            "status": "OK",
            "payload": {"images": [{"url": "https://example.com/theirs.png"}]},
        }

        assert await self.said(silent, delivery, lie) == 204

        assert (await silent.settled(job_id)).state is RenderState.FAILED
        assert await silent.studio.purse() == REFUNDED
        assert asked(silent, Vendor.FAL, BRINGING[Vendor.FAL]) == 0

    @staticmethod
    async def said(market: Market, delivery: Delivery, lie: dict[str, object]) -> int | None:
        body, now = orjson.dumps(lie), market.planes[Vendor.FAL].now()
        headers = market.fal.keys.headers(delivery.work.id, body, at=now)
        return await market.fal.send(Letter(url=delivery.url, body=body, headers=headers))


class TestCallThatNeverComes:
    async def test_is_not_needed(self, silent: Market) -> None:
        await delivered_once(silent, Vendor.FAL, await silent.studio.order())

        assert silent.door.answers == []

    async def test_leaves_a_lost_answer_in_doubt(self, silent: Market) -> None:
        silent.planes[Vendor.FAL].faults.set(Rule(operation="submit", fault=LOST))

        job = await silent.settled(await silent.studio.order())

        (attempt,) = await silent.studio.attempts(job.id)
        assert (job.state, job.error_code) == (RenderState.FAILED, "provider_outcome_uncertain")
        assert (attempt.cost_uncertain, silent.planes[Vendor.FAL].billed) == (True, 1)
        assert await silent.studio.purse() == REFUNDED
