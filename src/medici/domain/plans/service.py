"""Filling a new catalogue."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans import default_feed, defaults
from medici.domain.plans.models import DiscoverItem, DiscoverSection, Plan, Style, Variable
from medici.kernel.db.base import Base
from medici.kernel.db.inserts import insert_into


async def install_defaults(session: AsyncSession, *, now: datetime) -> None:
    """Fill each table that is empty; one that holds anything is the operator's already.

    Processes that start at once install one set together.
    """
    await _fill(session, Plan, defaults.PLANS, now)
    await _fill(session, Style, defaults.STYLES, now)
    await _fill(session, Variable, defaults.VARIABLES, now)
    if await _fill(session, DiscoverSection, default_feed.SECTIONS, now):
        await _fill(session, DiscoverItem, default_feed.ITEMS, now)


async def _fill(
    session: AsyncSession, table: type[Base], rows: Sequence[defaults.Row], now: datetime
) -> bool:
    if (await session.scalar(select(1).select_from(table).limit(1))) is not None:
        return False
    dated = [{**row, "updated_at": now} for row in rows]
    await session.execute(insert_into(session, table).on_conflict_do_nothing(), dated)
    return True
