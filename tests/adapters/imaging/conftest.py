"""What tests of child processes share."""

from collections.abc import AsyncIterator

import pytest

from medici.adapters.imaging.host import ImageProcess
from tests.adapters.imaging.children import hostile


@pytest.fixture
async def process() -> AsyncIterator[ImageProcess]:
    async with hostile() as process:
        yield process
