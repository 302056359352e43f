"""Receivers that hang, trickle and flood, and processes that die with a webhook in the air."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from medici.domain.notices import queries
from medici.domain.notices.models import DeliveryStatus, WebhookDelivery
from medici.jobs.leases import free_leases
from medici.jobs.worker import Worker, WorkerOptions
from medici.kernel.clock import system_clock
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from medici.kernel.net.client import OutgoingClient
from medici.settings import Settings
from tests.domain.notices.office import GRANTED, KEYS, REGISTRY, TAKEN, Office, in_turn, told
from tests.faults.deployments import Layout, deployed
from tests.jobs.waiting import until, until_true
from tests.kernel.net.names import Names
from tests.kernel.net.sites import Request, says, site, trickles
from tests.support.fuses import Crash, Fuse, FusedDatabase

BROKEN = says("500 Internal Server Error")
TRICKLING = trickles("200 OK", b"x", every_seconds=0.5)
FLOODING = trickles("200 OK", b"x" * 65_536, every_seconds=0)
SERVED_BY_US = "k1:" + "A" * 43
STEPS = 4  # commits in the life of a delivery: announced, claimed, looked up, written down


async def hanging(_request: Request, _writer: asyncio.StreamWriter) -> None:
    """Read the request and say nothing."""
    await asyncio.Event().wait()


@asynccontextmanager
async def working(office: Office, *, concurrency: int = 16) -> AsyncIterator[None]:
    """Have a worker at work by the real clock."""
    stop = asyncio.Event()
    worker = Worker(
        database=office.database,
        registry=REGISTRY,
        resources=office,
        clock=system_clock,
        draw=lambda: 0.5,
        options=WorkerOptions(
            concurrency=concurrency, poll_seconds=0.1, grace_seconds=0, tick_seconds=3600
        ),
    )
    running = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def drained(office: Office) -> None:
    """Work until the receiver has it."""
    for _ in range(3):
        await office.work()
        office.clock.advance(timedelta(minutes=1))


class TestReceivers:
    @pytest.mark.timeout(90)
    async def test_that_hang_are_left_after_ten_seconds_and_hold_up_nobody(
        self, database: Database
    ) -> None:
        async with (
            site(hanging) as hangs,
            site(TRICKLING) as trickles_on,
            site(FLOODING) as floods,
            site(BROKEN) as breaks,
            site(TAKEN) as takes,
        ):
            sites = {"hangs": hangs, "trickles": trickles_on, "floods": floods, "breaks": breaks}
            allow = frozenset(one.place for one in (*sites.values(), takes))
            async with OutgoingClient(allow_foreign=allow, lookup=Names()) as outgoing:
                office = Office(database=database, outgoing=outgoing)
                ids = {name: await office.listening(one) for name, one in sites.items()}
                good = await office.listening(takes)
                await office.announce(GRANTED)

                async def all_tried() -> bool:
                    # Two at those that answer badly at once, one at each of the others.
                    return len(await office.attempts()) >= 7

                async with working(office):
                    await until(all_tried, within=30)

            attempts = {
                name: [
                    one
                    for one in await office.attempts()
                    if one.delivery_id == (await office.delivery(endpoint_id)).id
                ]
                for name, endpoint_id in {**ids, "takes": good}.items()
            }

        assert [one.status_code for one in attempts["takes"]] == [204]
        assert attempts["takes"][0].latency_ms < 5_000
        for name in ("hangs", "trickles"):
            assert attempts[name][0].error == "upstream_timeout"
            assert 9_900 <= attempts[name][0].latency_ms < 14_000
        assert {one.error for one in attempts["floods"]} == {"upstream_response_too_large"}
        # No busy loop: the second try after five seconds, the third a minute later.
        assert len(breaks.requests) == 2
        first, second = attempts["breaks"]
        assert timedelta(seconds=5) <= second.at - first.at < timedelta(seconds=9)


@dataclass
class Slow:
    """A receiver that takes everything, once it is let go; it remembers how many it had at once."""

    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0
    most: int = 0

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.let_go.wait()
        self.waiting -= 1
        await TAKEN(request, writer)


class TestReceiverThatIsSlow:
    async def test_holds_up_nobody_else(self, database: Database) -> None:
        slow, notices, hands = Slow(), 6, 4
        async with site(slow.answer) as slowly, site(TAKEN) as takes:
            allow = frozenset({slowly.place, takes.place})
            async with OutgoingClient(allow_foreign=allow, lookup=Names()) as outgoing:
                settings = Settings(_env_file=None, medici_worker_concurrency=hands)
                office = Office(database=database, outgoing=outgoing, settings=settings)
                await office.listening(slowly, takes)
                await office.announce(*[GRANTED] * notices)

                async with working(office, concurrency=hands):
                    await until_true(lambda: len(takes.requests) == notices, within=5)
                    held = len(slowly.requests)
                    slow.let_go.set()
                    await until_true(lambda: len(slowly.requests) == notices, within=30)

        assert (held, slow.most) == (1, 1)


class TestCrash:
    @pytest.mark.parametrize("step", range(1, 2 * STEPS + 1))
    async def test_at_any_step_still_delivers_under_one_id(
        self, database: Database, step: int
    ) -> None:
        fuse = Fuse()
        async with (
            site(TAKEN) as here,
            OutgoingClient(allow_foreign=frozenset([here.place])) as outgoing,
        ):
            office = Office(database=FusedDatabase(database, fuse), outgoing=outgoing)
            endpoint, secret = await office.endpoint(here.url)
            notice = replace(GRANTED, key=f"grant:{new_id()}")
            fuse.arm(step)
            try:
                await office.announce(notice)
                await drained(office)
            except Crash:
                async with office.database.transaction() as session:
                    await free_leases(session)
                await office.announce(notice)  # whoever was to announce it comes again
                await drained(office)
            else:
                pytest.fail("there is no such step")

        delivery = await office.delivery(endpoint.id)
        assert delivery.status is DeliveryStatus.DELIVERED
        assert {told(one, secret)["type"] for one in here.requests} == {"credits.granted"}
        assert len({one.headers["webhook-id"] for one in here.requests}) == 1
        assert len(here.requests) <= 2


class TestKill:
    @pytest.mark.timeout(120)
    async def test_between_sending_and_writing_down_sends_once_more_under_the_same_id(
        self, database: Database, database_url: str, tmp_path: Path
    ) -> None:
        async def killing(_request: Request, _writer: asyncio.StreamWriter) -> None:
            await deployment.servers[0].kill()

        async with site(in_turn(killing, TAKEN)) as here, OutgoingClient() as outgoing:
            office = Office(database=database, outgoing=outgoing, keys=KEYS)
            layout = Layout(
                lease_seconds=2.0,
                variables={
                    "ENCRYPTION_KEYS": SERVED_BY_US,
                    "MEDICI_OUTBOUND_ALLOW_USERS": here.place,
                },
            )
            async with deployed(database_url, tmp_path / "data", layout) as deployment:
                endpoint, secret = await office.endpoint(here.url)
                await office.announce(GRANTED)
                await until_true(lambda: not deployment.servers[0].is_up, within=30)
                await deployment.servers[0].start()
                await until(lambda: _delivered(database), within=60)

        assert [told(one, secret)["type"] for one in here.requests] == ["credits.granted"] * 2
        assert len({one.headers["webhook-id"] for one in here.requests}) == 1
        async with database.reading() as session:
            (delivery,) = await session.scalars(select(WebhookDelivery))
            attempts = await queries.attempts(session, delivery.id)
        assert delivery.endpoint_id == endpoint.id
        assert [(one.number, one.status_code) for one in attempts] == [(1, 204)]


async def _delivered(database: Database) -> bool:
    async with database.reading() as session:
        statuses = await session.scalars(select(WebhookDelivery.status))
        return set(statuses) == {DeliveryStatus.DELIVERED}
