"""The studio's door of a deployment that sells in stores, whose stand-ins run beside it."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import func, select

from medici.domain.billing.models import Purchase, StoreRefund, StoreTransaction
from medici.domain.inbox.models import WebhookEvent
from medici.jobs.models import Job
from medici.kernel.db.database import Database
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.google import Push
from tests.support.stores import Stores, opened_stores
from tests.support.studio import Studio

KEPT = (WebhookEvent, Purchase, StoreTransaction, StoreRefund, Job)


class Selling:
    """What a class of such tests begins with; visitors come to the deployment of ``stores``."""

    @pytest.fixture
    async def stores(
        self, database: Database, tmp_path: Path, clock: Hands
    ) -> AsyncIterator[Stores]:
        async with opened_stores(database, tmp_path, clock=clock) as opened:
            yield opened

    @pytest.fixture
    def studio(self, stores: Stores) -> Studio:
        return stores.studio


async def account_token(visitor: Visitor) -> str:
    """Return the id by which stores know a visitor."""
    answer = await visitor.get("/v1/subscriptions/account-token")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["app_account_token"])


async def held(visitor: Visitor) -> tuple[str, str, str]:
    """Return the plan that a visitor holds, its status and its source."""
    answer = await visitor.get(f"/v1/subscriptions/entitlements/{visitor.user_id}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found["plan_id"], found["status"], found["source"]


async def plan_in_effect(visitor: Visitor) -> str:
    profile = (await visitor.get("/v1/profile/overview/me")).json()
    return str(profile["effective_plan"]["plan_id"])


async def told_by_apple(visitor: Visitor, body: bytes) -> str:
    return _message(await visitor.post("/v1/webhooks/storekit", content=body))


async def told_by_google(visitor: Visitor, push: Push) -> str:
    return _message(await pushed(visitor, push))


async def pushed(visitor: Visitor, push: Push, **headers: str) -> httpx.Response:
    if push.authorization is not None:
        headers["Authorization"] = push.authorization
    query = f"?{urlencode({'token': push.token})}" if push.token else ""
    return await sent(visitor, f"google-play{query}", push.body, **headers)


async def sent(visitor: Visitor, route: str, body: bytes, **headers: str) -> httpx.Response:
    """Post a body with headers that may hold what no honest client would write."""
    written = [(name.encode(), _bytes(value)) for name, value in headers.items()]
    return await visitor.post(f"/v1/webhooks/{route}", content=body, headers=written)


async def told_by_stripe(visitor: Visitor, stores: Stores) -> list[str]:
    """Deliver all that has happened at Stripe, oldest first; return what became of each."""
    return [_message(await signed(visitor, stores, raw)) for raw in await stores.stripe.events()]


async def signed(visitor: Visitor, stores: Stores, raw: bytes) -> httpx.Response:
    headers = stores.stripe_signs(raw)
    return await visitor.post("/v1/webhooks/web-billing", content=raw, headers=headers)


async def rows_kept(studio: Studio) -> int:
    """Count everything that a message may leave behind."""
    async with studio.database.reading() as session:
        counts = [await session.scalar(select(func.count()).select_from(each)) for each in KEPT]
    return sum(count or 0 for count in counts)


def _message(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["message"])


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
