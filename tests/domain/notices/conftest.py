"""An office for each test, over both databases."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from medici.kernel.db.database import Database
from medici.kernel.net.client import OutgoingClient
from tests.domain.notices.office import Office
from tests.kernel.net.names import Names
from tests.kernel.net.sites import Site

OpenOffice = Callable[..., Office]


@pytest.fixture
async def open_office(database: Database) -> AsyncIterator[OpenOffice]:
    """Give offices whose settings vouch for these sites; all other names lead nowhere."""
    async with AsyncExitStack() as stack:

        def opened(*sites: Site, names: Names | None = None) -> Office:
            outgoing = OutgoingClient(
                allow_foreign=frozenset(site.place for site in sites), lookup=names or Names()
            )
            stack.push_async_callback(outgoing.close)
            return Office(database=database, outgoing=outgoing)

        yield opened
