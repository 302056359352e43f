"""Margin user by user, some at a time."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import case, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Integer

from medici.adapters.payments.news import Ownership, Paid, Source
from medici.domain.analytics.combining import of_users
from medici.domain.analytics.queries import Freshness
from medici.domain.analytics.spans import Window, parts_of
from medici.domain.billing.models import StoreTransaction
from medici.domain.insights.figures import USD
from medici.domain.insights.margin import MarginFigure
from medici.domain.insights.tallies import Tally
from medici.kernel.db.base import BigInt
from medici.kernel.environment import Environment

SOURCES = (Source.IOS, Source.ANDROID, Source.WEB)
WORK = ("renders", "completed", "credits", "cost_micros")


async def user_margins(
    session: AsyncSession,
    window: Window,
    fresh: Freshness,
    kept: Mapping[str, Decimal],
    *,
    after: str | None,
    limit: int,
) -> list[MarginFigure]:
    """Return the margin of users who paid or rendered in a window, by id, after one of them."""
    told = union_all(_work(window, fresh), _paid(window)).subquery()
    columns = (*WORK, *(source.value for source in SOURCES))
    users = (
        select(
            told.c.user_id,
            *(func.sum(told.c[name]).cast(BigInt).label(name) for name in columns),
        )
        .group_by(told.c.user_id)
        .order_by(told.c.user_id)
        .limit(limit)
    )
    if after is not None:
        users = users.where(told.c.user_id > after)
    return [_figure(row, kept) for row in (await session.execute(users)).mappings()]


def _work(window: Window, fresh: Freshness) -> Any:
    done = of_users(parts_of(window, rolled_to=fresh.rolled_to)).subquery()
    nothing = [literal(0, Integer).label(source.value) for source in SOURCES]
    return select(done.c.user_id, *(done.c[name] for name in WORK), *nothing)


def _paid(window: Window) -> Any:
    paid = StoreTransaction
    net = paid.amount_minor - paid.refunded_minor
    return (
        select(
            paid.user_id,
            *(literal(0, Integer).label(name) for name in WORK),
            *(
                func.sum(case((paid.source == source, net), else_=0))
                .cast(BigInt)
                .label(source.value)
                for source in SOURCES
            ),
        )
        .where(
            paid.paid_at >= window.since,
            paid.paid_at < window.until,
            paid.environment == Environment.PRODUCTION,
            paid.paid != Paid.TRIAL,
            paid.ownership == Ownership.PURCHASED,
            paid.user_id.is_not(None),
            paid.amount_minor.is_not(None),
            func.lower(paid.currency) == USD,
        )
        .group_by(paid.user_id)
    )


def _figure(row: Mapping[Any, Any], kept: Mapping[str, Decimal]) -> MarginFigure:
    paid = {source: Decimal(row[source.value]) / 100 for source in SOURCES}
    done = Tally(
        completed=row["completed"],
        failed=row["renders"] - row["completed"],
        credits=row["credits"],
        cost_micros=row["cost_micros"],
    )
    fees = sum((paid[source] * kept.get(source, Decimal(0)) for source in SOURCES), Decimal(0))
    return MarginFigure.of(row["user_id"], done, sum(paid.values(), Decimal(0)), fees)
