"""From the queue to the receiver: tried by the schedule, under one id, until it is taken."""

import asyncio
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from medici.domain.notices import rules
from medici.domain.notices.models import DeliveryStatus, DisabledBecause
from medici.domain.notices.service.endpoints import (
    delete_endpoint,
    disable_endpoint,
    rotate_secret,
    send_test,
)
from tests.domain.notices.conftest import OpenOffice
from tests.domain.notices.office import GRANTED, TAKEN, in_turn, told
from tests.kernel.net.sites import Answer, Request, hangs_up, says, sends_to, site

BROKEN = says("500 Internal Server Error", b"we are sorry \0 for this")
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)


class TestDelivery:
    async def test_is_written_down_with_what_was_answered(self, open_office: OpenOffice) -> None:
        async with site(says("200 OK", "thänk you \0".encode() + b"x" * 1000)) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(GRANTED)
            await office.work()

        delivery, (attempt,) = await office.delivery(endpoint_id), await office.attempts()
        assert delivery.status is DeliveryStatus.DELIVERED
        assert (delivery.attempt_count, delivery.delivered_at) == (1, office.clock())
        assert (delivery.next_attempt_at, delivery.error) == (None, None)
        assert (attempt.number, attempt.status_code, attempt.error) == (1, 200, None)
        assert attempt.answer == ("thänk you " + "x" * 1000)[:512]

    async def test_is_tried_by_the_schedule_and_then_given_up(
        self, open_office: OpenOffice
    ) -> None:
        async with site(BROKEN) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(GRANTED)
            for tries in range(1, rules.MOST_TRIES + 1):
                assert await office.work() == 1
                assert len(here.requests) == tries
                delivery = await office.delivery(endpoint_id)
                due = rules.next_attempt_at(delivery.id, tries=tries, now=office.clock())
                assert delivery.next_attempt_at == due
                if due is not None:
                    office.clock.now = due - MOMENT
                    assert await office.work() == 0  # not a moment too early
                office.clock.now = due or office.clock()
            office.clock.advance(30 * DAY)
            assert await office.work() == 0

        assert len(here.requests) == 10
        assert len({request.headers["webhook-id"] for request in here.requests}) == 1
        assert len({request.headers["webhook-timestamp"] for request in here.requests}) == 10
        assert len({request.body for request in here.requests}) == 1
        assert delivery.status is DeliveryStatus.FAILED
        assert (delivery.status_code, delivery.error) == (500, "refused")

    async def test_is_signed_anew_at_each_try(self, open_office: OpenOffice) -> None:
        async with site(in_turn(BROKEN, TAKEN)) as here:
            office = open_office(here)
            _, secret = await office.endpoint(here.url)
            await office.announce(GRANTED)
            await office.work()
            office.clock.advance(timedelta(seconds=6))
            await office.work()

        first, second = here.requests
        assert told(first, secret) == told(second, secret)
        assert first.headers["webhook-signature"] != second.headers["webhook-signature"]

    @pytest.mark.parametrize(
        ("answer", "status_code", "error"),
        [
            (says("503 Service Unavailable"), 503, "refused"),
            (says("429 Too Many Requests"), 429, "refused"),
            (says("400 Bad Request"), 400, "refused"),
            (sends_to("https://elsewhere.example/"), 302, "redirected"),
            (sends_to("/again", "307 Temporary Redirect"), 307, "redirected"),
            (sends_to("/again", "308 Permanent Redirect"), 308, "redirected"),
            (hangs_up, None, "upstream_connection_lost"),
            (says("200 OK", b"x" * 300_000), None, "upstream_response_too_large"),
            (says("200 OK", b"x", content_encoding="br"), None, "upstream_bad_response"),
        ],
        ids=lambda value: str(value) if isinstance(value, str | int) else "",
    )
    async def test_is_tried_again_after_any_other_answer(
        self, open_office: OpenOffice, answer: Answer, status_code: int | None, error: str
    ) -> None:
        async with site(in_turn(answer, TAKEN)) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(GRANTED)
            await office.work()
            (attempt,) = await office.attempts()
            assert (attempt.status_code, attempt.error) == (status_code, error)
            assert [request.target for request in here.requests] == ["/hook"]

            office.clock.advance(timedelta(seconds=6))
            await office.work()

        assert (await office.delivery(endpoint_id)).status is DeliveryStatus.DELIVERED
        assert [request.target for request in here.requests] == ["/hook", "/hook"]

    async def test_to_nobody_there_is_tried_again(self, open_office: OpenOffice) -> None:
        async with site(TAKEN) as gone:
            office = open_office(gone)
        endpoint_id = await office.listening(gone)
        await office.announce(GRANTED)
        await office.work()

        delivery = await office.delivery(endpoint_id)
        assert (delivery.status, delivery.error) == (
            DeliveryStatus.PENDING,
            "upstream_unreachable",
        )

    async def test_to_an_endpoint_deleted_meanwhile_is_forgotten(
        self, open_office: OpenOffice
    ) -> None:
        async def deleting(request: Request, writer: asyncio.StreamWriter) -> None:
            async with office.database.transaction() as session:
                await delete_endpoint(session, endpoint_id)
            await TAKEN(request, writer)

        async with site(deleting) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(GRANTED, GRANTED)
            await office.work()
            office.clock.advance(DAY)

            assert await office.work() == 0
        assert len(here.requests) == 1
        assert await office.attempts() == []


class TestReceiverThatIsDown:
    async def test_is_tried_once_a_minute_by_all_that_waits(self, open_office: OpenOffice) -> None:
        async with site(BROKEN) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(*[GRANTED] * 20)
            await office.work()
            assert len(here.requests) == 4  # three failures, and the first who took a turn

            await office.work_until(timedelta(minutes=10), step=timedelta(seconds=5))

        assert 8 <= len(here.requests) <= 4 + 10
        assert {one.status for one in await office.deliveries(endpoint_id)} == {
            DeliveryStatus.PENDING
        }

    async def test_gets_all_once_it_takes_one(self, open_office: OpenOffice) -> None:
        async with site(in_turn(*[BROKEN] * 5, TAKEN)) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(*[GRANTED] * 20)
            await office.work_until(timedelta(minutes=8), step=timedelta(seconds=5))

        assert len(here.requests) == 25
        assert {one.status for one in await office.deliveries(endpoint_id)} == {
            DeliveryStatus.DELIVERED
        }

    async def test_is_tried_at_once_when_somebody_asks(self, open_office: OpenOffice) -> None:
        async with site(BROKEN) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(*[GRANTED] * 5)
            await office.work()
            async with office.database.transaction() as session:
                await send_test(session, endpoint_id, now=office.clock())
            await office.work()

        assert len(here.requests) == 5


class TestRotation:
    async def test_signs_with_both_secrets_for_a_while(self, open_office: OpenOffice) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            endpoint, old = await office.endpoint(here.url)
            async with office.database.transaction() as session:
                _, secret = await rotate_secret(
                    session, endpoint.id, keys=office.keys, overlap=DAY, now=office.clock()
                )
            await office.announce(GRANTED)
            await office.work()
            office.clock.advance(DAY)
            await office.announce(GRANTED)
            await office.work()

        during, after = here.requests
        assert told(during, old) == told(during, secret.text)
        assert len(during.headers["webhook-signature"].split(" ")) == 2
        assert after.headers["webhook-signature"] == Webhook(secret.text).sign(
            after.headers["webhook-id"], office.clock(), after.body.decode()
        )

    async def test_without_an_overlap_ends_the_old_secret_at_once(
        self, open_office: OpenOffice
    ) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            endpoint, _ = await office.endpoint(here.url)
            async with office.database.transaction() as session:
                _, secret = await rotate_secret(
                    session, endpoint.id, keys=office.keys, overlap=timedelta(0), now=office.clock()
                )
            await office.announce(GRANTED)
            await office.work()

        (request,) = here.requests
        told(request, secret.text)
        assert " " not in request.headers["webhook-signature"]


class TestDisabling:
    async def test_follows_the_answer_that_it_is_gone(self, open_office: OpenOffice) -> None:
        async with site(says("410 Gone")) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(GRANTED, GRANTED)
            await office.work()
            office.clock.advance(DAY)
            await office.work()

        endpoint = await office.state(endpoint_id)
        assert endpoint.disabled_because is DisabledBecause.GONE
        assert len(here.requests) == 1
        assert sorted(str(one.error) for one in await office.deliveries(endpoint_id)) == [
            "endpoint_disabled",
            "refused",
        ]

    async def test_follows_ten_failures_over_a_day(self, open_office: OpenOffice) -> None:
        async with site(BROKEN) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            for _ in range(12):
                await office.announce(GRANTED)
            await office.work()
            early = await office.state(endpoint_id)
            assert (early.failures_in_a_row, early.disabled_at) == (4, None)

            await office.work_until(DAY - timedelta(hours=1), step=timedelta(hours=1))
            assert (await office.state(endpoint_id)).disabled_at is None

            await office.work_until(3 * DAY, step=timedelta(hours=4))

        endpoint = await office.state(endpoint_id)
        assert endpoint.disabled_because is DisabledBecause.FAILING
        assert {one.status for one in await office.deliveries(endpoint_id)} == {
            DeliveryStatus.FAILED
        }

    async def test_does_not_follow_failures_with_a_success_between(
        self, open_office: OpenOffice
    ) -> None:
        async with site(in_turn(*[BROKEN] * 9, TAKEN, BROKEN)) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            for _ in range(2):
                await office.announce(GRANTED)
                await office.work_until(DAY, step=timedelta(hours=1))

        endpoint = await office.state(endpoint_id)
        assert endpoint.disabled_at is None
        assert endpoint.failures_in_a_row == len(here.requests) - 10

    async def test_by_hand_ends_what_is_on_its_way(self, open_office: OpenOffice) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(GRANTED)
            async with office.database.transaction() as session:
                await disable_endpoint(session, endpoint_id, now=office.clock())
            await office.work()

        delivery = await office.delivery(endpoint_id)
        assert here.requests == []
        assert (delivery.status, delivery.error) == (DeliveryStatus.FAILED, "endpoint_disabled")
