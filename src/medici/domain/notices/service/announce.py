"""Writing down what other systems shall hear."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.notices.notice import Notice


async def announce(session: AsyncSession, notice: Notice, *, now: datetime) -> None:
    """Have every endpoint that listens told, once this transaction has committed."""
