"""Writing down what others shall hear, in the transaction of what it tells about."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from medici.domain.notices.models import WebhookNotice
from medici.domain.notices.notice import NoticeType
from medici.domain.notices.service.announce import announce
from medici.domain.notices.service.endpoints import disable_endpoint
from medici.jobs.models import Job
from tests.domain.notices.conftest import OpenOffice
from tests.domain.notices.office import GRANTED, TAKEN, Office, told
from tests.kernel.net.sites import site

ONCE = replace(GRANTED, key="grant:1")


async def written(office: Office) -> tuple[int, int]:
    """Return how many notices and how many jobs there are."""
    async with office.database.reading() as session:
        notices = await session.scalar(select(func.count()).select_from(WebhookNotice))
        jobs = await session.scalar(select(func.count()).select_from(Job))
    return notices or 0, jobs or 0


class TestAnnounce:
    async def test_tells_who_listens_and_the_receiver_finds_it_genuine(
        self, open_office: OpenOffice
    ) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            _, secret = await office.endpoint(f"{here.url}/hook?for=medici")
            await office.announce(GRANTED)
            await office.work()

        (request,) = here.requests
        assert (request.method, request.target) == ("POST", "/hook?for=medici")
        assert request.headers["content-type"] == "application/json"
        assert request.headers["webhook-id"].startswith("msg_")
        assert told(request, secret) == {
            "type": "credits.granted",
            "timestamp": office.clock().isoformat().replace("+00:00", "Z"),
            "data": {"user_id": "ada", "credits": 5},
        }

    async def test_tells_each_endpoint_what_it_wants(self, open_office: OpenOffice) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            await office.endpoint(f"{here.url}/low", NoticeType.CREDITS_LOW)
            await office.endpoint(f"{here.url}/both", *NoticeType)
            await office.endpoint(f"{here.url}/all")
            await office.announce(GRANTED)
            await office.work()

        assert sorted(request.target for request in here.requests) == ["/all", "/both"]
        assert len({request.headers["webhook-id"] for request in here.requests}) == 1

    async def test_writes_nothing_where_nobody_listens(self, open_office: OpenOffice) -> None:
        office = open_office()
        await office.endpoint("https://files.example/hook", NoticeType.CREDITS_LOW)
        resting = await office.listening("https://files.example/hook")
        async with office.database.transaction() as session:
            await disable_endpoint(session, resting, now=office.clock())

        await office.announce(GRANTED)

        assert await written(office) == (0, 0)

    async def test_sends_nothing_of_what_was_rolled_back(self, open_office: OpenOffice) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            await office.listening(here)
            with pytest.raises(ZeroDivisionError):
                async with office.database.transaction() as session:
                    await announce(session, GRANTED, now=office.clock())
                    raise ZeroDivisionError
            await office.work()

        assert here.requests == []
        assert await written(office) == (0, 0)

    async def test_sends_one_of_those_with_the_same_key(self, open_office: OpenOffice) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            await office.listening(here)
            await office.announce(ONCE, ONCE)
            await office.work()
            await office.announce(ONCE, replace(ONCE, key="grant:2"), GRANTED, GRANTED)
            await office.work()

        assert len(here.requests) == 4
