"""An operator before the routes of outgoing webhooks, and a receiver that takes what is sent."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import select

from medici.domain.identity.models import AuditEntry
from medici.domain.notices.notice import Notice, NoticeType
from medici.domain.notices.service.announce import announce
from medici.kernel.clock import system_clock
from medici.kernel.net.client import OutgoingClient
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.kernel.net.sites import Answer, Site, site
from tests.support.studio import Studio

BASE = "/v1/admin/webhook-endpoints"
TOKEN = "right"
NOBODY_ID = "00000000-0000-7000-8000-000000000000"


class Backstage:
    """An operator before the admin routes, and the receiver that the settings vouch for."""

    def __init__(self, visitor: Visitor, studio: Studio, receiver: Site) -> None:
        self.studio, self.receiver = studio, receiver
        self._client = visitor.client

    async def ask(
        self, method: str, path: str = "", *, token: str = TOKEN, **options: Any
    ) -> httpx.Response:
        headers = {"X-Admin-Token": token}
        return await self._client.request(method, BASE + path, headers=headers, **options)

    async def added(self, url: str | None = None, **body: Any) -> dict[str, Any]:
        answer = await self.ask("POST", json={"url": url or self.receiver.url, **body})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def shown(self, path: str) -> dict[str, Any]:
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def announce(self, kind: NoticeType = NoticeType.CREDITS_LOW) -> None:
        notice = Notice(type=kind, subject="user:ada", data={"user_id": "ada", "left": 1})
        async with self.studio.database.transaction() as session:
            await announce(session, notice, now=self.studio.clock())

    async def audited(self) -> list[AuditEntry]:
        async with self.studio.database.reading() as session:
            found = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return list(found)


@asynccontextmanager
async def opened_backstage(
    studio: Studio, visit: Visit, answer: Answer
) -> AsyncIterator[Backstage]:
    """Open the routes to an operator, with a receiver that answers like this."""
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(site(answer))
        vouched = frozenset([receiver.place])
        outgoing = await stack.enter_async_context(OutgoingClient(allow_foreign=vouched))
        studio.resources = replace(studio.resources, outgoing=outgoing)
        studio.clock.now = system_clock()  # as the receiver's clock says
        visitor = await visit(
            "", admin_api_token=SecretStr(TOKEN), medici_outbound_allow_users=tuple(vouched)
        )
        yield Backstage(visitor, studio, receiver)


def told(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["detail"]
