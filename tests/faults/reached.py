"""A deployment that sells in stores, and visitors who have just signed in to it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest

from medici.app import create_app
from medici.domain.identity.service import sign_in
from tests.doors.studio.conftest import Visit
from tests.doors.studio.selling import Selling
from tests.doors.studio.visitor import Visitor
from tests.doors.support import BASE, Hands
from tests.support.stores import Stores
from tests.support.studio import Studio


class Reached(Selling):
    """Deployments of this test alone, whose visitors have just signed in."""

    @pytest.fixture
    def clock(self) -> Hands:
        return Hands()

    @pytest.fixture
    async def visit(self, stores: Stores) -> AsyncIterator[Visit]:
        async with AsyncExitStack() as stack:

            async def visiting(user_id: str = "ada", **_: Any) -> Visitor:
                app = create_app(stores.studio.resources.settings)
                app.state.resources = stores.studio.resources
                headers = await signed_in(stores.studio, user_id) if user_id else {}
                client = httpx.AsyncClient(
                    transport=httpx.ASGITransport(app), base_url=BASE, headers=headers, timeout=60
                )
                return Visitor(await stack.enter_async_context(client), app, user_id)

            yield visiting

    @pytest.fixture
    async def ada(self, visit: Visit) -> Visitor:
        return await visit("ada")


async def signed_in(studio: Studio, user_id: str) -> dict[str, str]:
    async with studio.database.transaction() as session:
        signed = await sign_in(
            session,
            user_id=user_id,
            platform="ios",
            ttl=timedelta(days=30),
            prefix="tok_",
            now=studio.clock(),
        )
    return {"Authorization": f"Bearer {signed.token}"}
