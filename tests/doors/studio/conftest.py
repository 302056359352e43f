"""The studio's door with everything behind it: fake providers, ada signed in, work done by hand."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from medici.app import create_app
from medici.kernel.db.database import Database
from tests.doors.conftest import SignedIn
from tests.doors.studio.visitor import Visitor
from tests.doors.support import BASE, Hands
from tests.kernel.net.names import Names
from tests.support.painters import Painter
from tests.support.studio import Studio, opened_studio

Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture
def painter() -> Painter:
    return Painter()


@pytest.fixture
async def studio(
    database: Database, tmp_path: Path, painter: Painter, clock: Hands
) -> AsyncIterator[Studio]:
    names = Names(example_com=[["93.184.216.34"]], inside_example_com=[["10.0.0.7"]])
    async with opened_studio(database, tmp_path, painter, clock=clock, names=names) as studio:
        yield studio


@pytest.fixture
async def visit(studio: Studio, signed_in: SignedIn) -> AsyncIterator[Visit]:
    """Give visitors of the deployment, with settings that differ; "" is one without a token."""
    async with AsyncExitStack() as stack:

        async def visiting(user_id: str = "ada", **settings: Any) -> Visitor:
            changed = studio.resources.settings.model_copy(update=settings)
            app = create_app(changed)
            app.state.resources = replace(studio.resources, settings=changed)
            headers = await signed_in(user_id) if user_id else {}
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url=BASE, headers=headers, timeout=60
            )
            return Visitor(await stack.enter_async_context(client), app, user_id)

        yield visiting


@pytest.fixture
async def ada(visit: Visit) -> Visitor:
    return await visit("ada")


@pytest.fixture
async def bob(visit: Visit) -> Visitor:
    return await visit("bob")
