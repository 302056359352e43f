"""What was told long ago is forgotten, and what is not yet told never."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from medici.domain.notices.models import (
    DeliveryStatus,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookNotice,
)
from medici.domain.notices.service.endpoints import rotate_secret
from medici.domain.notices.service.pruning import prune_notices
from medici.domain.notices.work import SWEEP
from medici.jobs.queue import enqueue
from tests.domain.notices.conftest import OpenOffice
from tests.domain.notices.office import GRANTED, TAKEN, Office
from tests.kernel.net.sites import site

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Left:
    notices: int
    deliveries: int
    attempts: int


async def sweep(office: Office) -> Left:
    """Sweep, and count what is left."""
    async with office.database.transaction() as session:
        await enqueue(session, SWEEP, now=office.clock(), args={})
    await office.work()
    async with office.database.reading() as session:
        counts = [
            len((await session.scalars(select(table.id))).all())
            for table in (WebhookNotice, WebhookDelivery, WebhookAttempt)
        ]
    return Left(*counts)


async def set_status(office: Office, status: DeliveryStatus) -> None:
    async with office.database.transaction() as session:
        for delivery in await session.scalars(select(WebhookDelivery)):
            delivery.status = status


class TestSweep:
    async def test_forgets_what_was_delivered_after_30_days(self, open_office: OpenOffice) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            await office.listening(here, here)
            await office.announce(GRANTED)
            await office.work()
            office.clock.advance(30 * DAY)
            assert await sweep(office) == Left(1, 2, 2)
            office.clock.advance(timedelta(seconds=1))
            assert await sweep(office) == Left(0, 0, 0)

    @pytest.mark.parametrize(
        ("status", "kept"), [(DeliveryStatus.FAILED, 90), (DeliveryStatus.PENDING, 10_000)]
    )
    async def test_keeps_what_was_not(
        self, open_office: OpenOffice, status: DeliveryStatus, kept: int
    ) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            await office.listening(here, here)
            await office.announce(GRANTED)
            await office.work()
            await set_status(office, status)
            office.clock.advance(kept * DAY)
            assert await sweep(office) == Left(1, 2, 2)

            await set_status(office, DeliveryStatus.FAILED)
            office.clock.advance(timedelta(seconds=1))
            assert await sweep(office) == Left(0, 0, 0)

    async def test_forgets_so_many_at_once_the_oldest_first(self, open_office: OpenOffice) -> None:
        office = open_office()
        await office.listening("https://files.example/")
        await office.announce(*[GRANTED] * 5)
        await set_status(office, DeliveryStatus.DELIVERED)
        office.clock.advance(31 * DAY)

        async with office.database.transaction() as session:
            counts = [await prune_notices(session, now=office.clock(), limit=2) for _ in range(4)]

        assert counts == [2, 2, 1, 0]

    async def test_forgets_a_secret_that_signs_no_more(self, open_office: OpenOffice) -> None:
        office = open_office()
        endpoint_id = await office.listening("https://files.example/")
        async with office.database.transaction() as session:
            await rotate_secret(
                session, endpoint_id, keys=office.keys, overlap=DAY, now=office.clock()
            )

        office.clock.advance(DAY - timedelta(seconds=1))
        await sweep(office)
        assert (await office.state(endpoint_id)).previous_secret is not None
        office.clock.advance(timedelta(seconds=1))
        await sweep(office)
        async with office.database.reading() as session:
            left = await session.get_one(WebhookEndpoint, endpoint_id)
        assert (left.previous_secret, left.previous_secret_until) == (None, None)
