"""Sending again on an operator's word."""

from datetime import timedelta

import pytest

from medici.domain.notices.errors import DeliveryNotFound, EndpointDisabled
from medici.domain.notices.models import DeliveryStatus
from medici.domain.notices.service.endpoints import disable_endpoint, enable_endpoint
from medici.domain.notices.service.redelivering import redeliver, redeliver_failed
from medici.kernel.ids import new_id
from tests.domain.notices.conftest import OpenOffice
from tests.domain.notices.office import GRANTED, TAKEN, in_turn
from tests.kernel.net.sites import says, site

BROKEN = says("500 Internal Server Error")
DAY = timedelta(days=1)


class TestRedeliver:
    async def test_sends_what_was_taken_again_under_its_id(self, open_office: OpenOffice) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(GRANTED)
            await office.work()
            delivery = await office.delivery(endpoint_id)
            office.clock.advance(DAY)
            async with office.database.transaction() as session:
                await redeliver(
                    session,
                    endpoint_id=endpoint_id,
                    delivery_id=delivery.id,
                    now=office.clock(),
                )
            await office.work()

        assert len({request.headers["webhook-id"] for request in here.requests}) == 1
        assert [one.number for one in await office.attempts()] == [1, 2]
        again = await office.delivery(endpoint_id)
        assert (again.status, again.attempt_count) == (DeliveryStatus.DELIVERED, 2)
        assert again.delivered_at == office.clock()

    async def test_brings_forward_what_waits(self, open_office: OpenOffice) -> None:
        async with site(in_turn(BROKEN, BROKEN, TAKEN)) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(GRANTED)
            await office.work_until(timedelta(minutes=3), step=timedelta(minutes=1))
            assert len(here.requests) == 2
            delivery = await office.delivery(endpoint_id)
            async with office.database.transaction() as session:
                await redeliver(
                    session,
                    endpoint_id=endpoint_id,
                    delivery_id=delivery.id,
                    now=office.clock(),
                )
            await office.work()

        assert len(here.requests) == 3
        assert (await office.delivery(endpoint_id)).status is DeliveryStatus.DELIVERED

    async def test_refuses_a_disabled_endpoint_and_another_ones_delivery(
        self, open_office: OpenOffice
    ) -> None:
        office = open_office()
        one = await office.listening("https://files.example/1")
        await office.announce(GRANTED)
        delivery = await office.delivery(one)
        other = await office.listening("https://files.example/2")

        async with office.database.transaction() as session:
            for endpoint_id, delivery_id in ((other, delivery.id), (one, new_id())):
                with pytest.raises(DeliveryNotFound):
                    await redeliver(
                        session,
                        endpoint_id=endpoint_id,
                        delivery_id=delivery_id,
                        now=office.clock(),
                    )
            await disable_endpoint(session, one, now=office.clock())
            with pytest.raises(EndpointDisabled):
                await redeliver(
                    session, endpoint_id=one, delivery_id=delivery.id, now=office.clock()
                )


class TestRedeliverFailed:
    async def test_sends_what_was_given_up_since_a_moment(self, open_office: OpenOffice) -> None:
        async with site(in_turn(says("410 Gone"), TAKEN)) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(GRANTED)
            office.clock.advance(DAY)
            since = office.clock()
            await office.announce(GRANTED, GRANTED)
            await office.work()
            async with office.database.transaction() as session:
                await enable_endpoint(session, endpoint_id, now=office.clock())
                again = await redeliver_failed(
                    session, endpoint_id=endpoint_id, since=since, now=office.clock()
                )
            await office.work()

        assert (again.count, again.more) == (2, False)
        assert len(here.requests) == 3
        assert [one.status for one in await office.deliveries(endpoint_id)] == [
            DeliveryStatus.DELIVERED,
            DeliveryStatus.DELIVERED,
            DeliveryStatus.FAILED,
        ]

    async def test_takes_so_many_at_once(self, open_office: OpenOffice) -> None:
        office = open_office()
        endpoint_id = await office.listening("https://files.example/")
        await office.announce(*[GRANTED] * 5)
        async with office.database.transaction() as session:
            await disable_endpoint(session, endpoint_id, now=office.clock())
        await office.work()

        counts = []
        async with office.database.transaction() as session:
            await enable_endpoint(session, endpoint_id, now=office.clock())
            for _ in range(3):
                again = await redeliver_failed(
                    session,
                    endpoint_id=endpoint_id,
                    since=office.clock(),
                    now=office.clock(),
                    limit=4,
                )
                counts.append((again.count, again.more))

        assert counts == [(4, True), (1, False), (0, False)]
