"""The rendering tests: a studio with two providers, and ada, who has 100 credits of her own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medici.kernel.db.database import Database
from tests.support.painters import Painter
from tests.support.studio import Studio, opened_studio


@pytest.fixture
def painter() -> Painter:
    """The provider that is asked first."""
    return Painter()


@pytest.fixture
def sculptor() -> Painter:
    """The provider that is asked when the first does not deliver."""
    return Painter(name="sculptor")


@pytest.fixture
async def studio(
    database: Database, tmp_path: Path, painter: Painter, sculptor: Painter
) -> AsyncIterator[Studio]:
    async with opened_studio(database, tmp_path, painter, sculptor) as studio:
        await studio.customer()
        yield studio
