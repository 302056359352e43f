"""Filling a new catalogue."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans import defaults
from medici.domain.plans.models import Plan, Style, Variable
from medici.kernel.db.base import Base
from medici.kernel.db.inserts import insert_into


async def install_defaults(session: AsyncSession, *, now: datetime) -> None:
    """Fill each table that is empty; one that holds anything is the operator's already.

    Processes that start at once install one set together.
    """
    await _fill(session, Plan, defaults.PLANS, now)
    await _fill(session, Style, defaults.STYLES, now)
    await _fill(session, Variable, defaults.VARIABLES, now)


async def _fill(
    session: AsyncSession, table: type[Base], rows: Sequence[defaults.Row], now: datetime
) -> None:
    if (await session.scalar(select(1).select_from(table).limit(1))) is not None:
        return
    dated = [{**row, "updated_at": now} for row in rows]
    await session.execute(insert_into(session, table).on_conflict_do_nothing(), dated)
