"""A deployment that has something to tell, and receivers that take it well or badly."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from standardwebhooks import Webhook

from medici.domain.notices import queries, tasks
from medici.domain.notices.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from medici.domain.notices.notice import Notice, NoticeType
from medici.domain.notices.queries import DeliveryFilter
from medici.domain.notices.service.announce import announce
from medici.domain.notices.service.endpoints import Wish, add_endpoint
from medici.jobs.handlers import Registry
from medici.jobs.inline import run_due
from medici.kernel.clock import system_clock
from medici.kernel.db.database import Database
from medici.kernel.keyring import KeyRing
from medici.kernel.net.client import OutgoingClient
from medici.kernel.turns import Turns
from medici.settings import Settings
from tests.doors.support import Hands
from tests.kernel.net.sites import Answer, Request, Site, says

REGISTRY = Registry.of(tasks)
KEYS = KeyRing.parse("k1:" + "A" * 43)
TAKEN = says("204 No Content")
GRANTED = Notice(
    type=NoticeType.CREDITS_GRANTED, subject="user:ada", data={"user_id": "ada", "credits": 5}
)


def in_turn(*answers: Answer) -> Answer:
    """Answer each request in another way, and all that follow like the last."""
    left = list(answers)

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request, writer)

    return answer


def real_hands() -> Hands:
    """Begin at the real time, because receivers look at theirs."""
    hands = Hands()
    hands.now = system_clock()
    return hands


@dataclass(frozen=True, kw_only=True)
class Office:
    """As much of a process's resources as notices ask for, and a clock to move."""

    database: Database
    outgoing: OutgoingClient
    keys: KeyRing = KEYS
    clock: Hands = field(default_factory=real_hands)
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))
    turns: Turns = field(default_factory=Turns)

    async def endpoint(self, url: str, *types: NoticeType) -> tuple[WebhookEndpoint, str]:
        """Add an endpoint; return it and its secret."""
        async with self.database.transaction() as session:
            endpoint, secret = await add_endpoint(
                session, Wish(url=url, types=types or None), keys=self.keys, now=self.clock()
            )
        return endpoint, secret.text

    async def listening(self, *places: Site | str) -> UUID:
        """Add an endpoint for each place; return the id of the last."""
        for place in places:
            url = place if isinstance(place, str) else f"{place.url}/hook"
            endpoint, _ = await self.endpoint(url)
        return endpoint.id

    async def announce(self, *notices: Notice) -> None:
        async with self.database.transaction() as session:
            for notice in notices:
                await announce(session, notice, now=self.clock())

    async def work(self) -> int:
        """Do what is due; return how many runs that took."""
        return len(await run_due(self.database, REGISTRY, self, self.clock()))

    async def work_until(self, later: timedelta, *, step: timedelta) -> None:
        """Work while time passes."""
        end = self.clock() + later
        while self.clock() < end:
            await self.work()
            self.clock.advance(step)

    async def state(self, endpoint_id: UUID) -> WebhookEndpoint:
        async with self.database.reading() as session:
            return await queries.endpoint(session, endpoint_id)

    async def deliveries(self, endpoint_id: UUID) -> Sequence[WebhookDelivery]:
        async with self.database.reading() as session:
            return await queries.deliveries(session, endpoint_id, DeliveryFilter(limit=1000))

    async def delivery(self, endpoint_id: UUID) -> WebhookDelivery:
        (only,) = await self.deliveries(endpoint_id)
        return only

    async def attempts(self) -> Sequence[WebhookAttempt]:
        async with self.database.reading() as session:
            found = await session.scalars(select(WebhookAttempt).order_by(WebhookAttempt.id))
            return found.all()


def told(request: Request, secret: str) -> Mapping[str, object]:
    """Return what a request says, once the independent library has found it genuine."""
    read: Mapping[str, object] = Webhook(secret).verify(request.body, request.headers)
    return read
