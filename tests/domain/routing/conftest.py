"""A deployment with its first settings."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.routing.service import install_first_version
from tests.domain.routing.acts import FIRST, NOW


@pytest.fixture
async def _installed(session: AsyncSession) -> None:
    await install_first_version(session, FIRST, now=NOW)
