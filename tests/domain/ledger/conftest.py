"""The ledger's tests: a teller at ada's empty wallet."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.domain.ledger.teller import Teller


@pytest.fixture
async def teller(session: AsyncSession) -> Teller:
    return await Teller.of(session)
