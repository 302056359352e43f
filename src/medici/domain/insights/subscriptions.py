"""Subscribers, what they bring in a month, who comes and who goes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from re import fullmatch
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from medici.adapters.payments.news import Ownership, Paid, PurchaseState, Source
from medici.domain.analytics.spans import Window
from medici.domain.billing.models import (
    EntitlementRow,
    EntitlementStatus,
    Purchase,
    StoreTransaction,
)
from medici.domain.events.facts import EventName
from medici.domain.insights.figures import USD, MoneyFigure, RateFigure, money
from medici.domain.insights.payments import income, units
from medici.domain.insights.views import View
from medici.domain.plans.defaults import FREE
from medici.kernel.db.base import BigInt
from medici.kernel.environment import Environment

WEEKS_OF_A_MONTH = Fraction(365, 84)  # 365 days are 12 months
MONTHS = {"W": 1 / WEEKS_OF_A_MONTH, "M": Fraction(1), "Y": Fraction(12)}
WEEK = timedelta(days=7)
EARNING = (PurchaseState.ACTIVE, PurchaseState.GRACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFigure:
    """``mrr_usd`` is what its subscribers pay in a month by the plan's own price."""

    plan_id: str
    active: int
    mrr_usd: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriptions:
    """``active`` are owners with a plan beyond the free one, by what their entitlement says."""

    active: int
    by_source: Mapping[str, int]
    by_plan: Sequence[PlanFigure]
    trialing: int
    new: int
    churned: int
    reactivated: int
    mrr: Sequence[MoneyFigure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Who came and went; ``active`` are those that must have been there at the end of it."""

    active: int
    new: int
    churned: int
    reactivated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionReport:
    """The same with its rates. ``trial_conversion`` follows the trials that began in the window;
    ``trials_running`` of them are not decided yet and count in no rate.
    """

    subscriptions: Subscriptions
    churn_rate: RateFigure
    trial_conversion: RateFigure
    trials_running: int
    refund_rate: RateFigure
    revenue: Sequence[MoneyFigure]


async def subscriptions(session: AsyncSession, seen: View, *, now: datetime) -> Subscriptions:
    """Count subscribers now, and who came and went in a window."""
    held = await _held(session, now)
    running = await _running(session)
    by_plan: dict[str, int] = defaultdict(int)
    by_source: dict[str, int] = dict.fromkeys((Source.IOS, Source.ANDROID, Source.WEB), 0)
    for row in held:
        by_plan[row.plan_id] += row.owners
        by_source[row.source] = by_source.get(row.source, 0) + row.owners
    listed = _listed(running)
    return Subscriptions(
        active=sum(by_plan.values()),
        by_source=by_source,
        by_plan=[
            PlanFigure(plan_id=plan_id, active=count, mrr_usd=f"{listed.get(plan_id, 0) / 100:.2f}")
            for plan_id, count in sorted(by_plan.items())
        ],
        trialing=sum(row.purchases for row in running if row.state is PurchaseState.TRIALING),
        new=seen.count(EventName.SUBSCRIPTION_ACTIVATED),
        churned=seen.count(EventName.SUBSCRIPTION_ENDED),
        reactivated=seen.count(EventName.SUBSCRIPTION_REACTIVATED),
        mrr=money(_mrr(running)),
    )


def flow(seen: View, later: Subscriptions) -> Flow:
    """Tell who came and went in the window before the one of ``later``."""
    return Flow(
        active=_at_start(later),
        new=seen.count(EventName.SUBSCRIPTION_ACTIVATED),
        churned=seen.count(EventName.SUBSCRIPTION_ENDED),
        reactivated=seen.count(EventName.SUBSCRIPTION_REACTIVATED),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dues:
    """Subscriptions that renew within a week, and those that end instead."""

    renewals: int
    expirations: int


async def dues(session: AsyncSession, *, now: datetime) -> Dues:
    """Look a week ahead."""
    renews = func.coalesce(Purchase.renews_at, Purchase.ends_at)
    ahead = and_(
        Purchase.state.in_((PurchaseState.TRIALING, *EARNING)),
        Purchase.environment == Environment.PRODUCTION,
    )
    renewing = and_(Purchase.will_renew, _within_a_week(renews, now))
    ending = and_(~Purchase.will_renew, _within_a_week(Purchase.ends_at, now))
    # Each of the two is an index's; what they find is told apart afterwards.
    near = or_(_within_a_week(Purchase.renews_at, now), _within_a_week(Purchase.ends_at, now))
    row = (
        await session.execute(
            select(
                func.count(case((renewing, 1))).label("renewals"),
                func.count(case((ending, 1))).label("expirations"),
            ).where(ahead, near)
        )
    ).one()
    return Dues(renewals=row.renewals, expirations=row.expirations)


def _within_a_week(
    moment: SQLColumnExpression[datetime | None], now: datetime
) -> ColumnElement[bool]:
    return and_(moment >= now, moment < now + WEEK)


async def report(session: AsyncSession, seen: View, *, now: datetime) -> SubscriptionReport:
    """Add rates to the figures of a window."""
    found = await subscriptions(session, seen, now=now)
    paid = await income(session, seen.window)
    payments, refunded = sum(p.payments for p in paid), sum(p.refunded for p in paid)
    trials = await _trials(session, seen.window, now)
    at_start = max(_at_start(found), found.churned)
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    for each in paid:
        revenue[each.currency] += each.net
    return SubscriptionReport(
        subscriptions=found,
        churn_rate=RateFigure.of(found.churned, at_start),
        trial_conversion=RateFigure.of(trials.converted, trials.decided),
        trials_running=trials.begun - trials.decided,
        refund_rate=RateFigure.of(refunded, payments),
        revenue=money(revenue),
    )


def _at_start(found: Subscriptions) -> int:
    """Return how many there must have been at the start of the window."""
    return max(found.active - found.new - found.reactivated + found.churned, 0)


def months_of(period: str | None) -> Fraction:
    """Return how many months a period such as P1Y lasts; one that is not known counts as one."""
    told = fullmatch(r"P(\d{1,2})([WMY])", period or "")
    if told is None or told[1] == "0":
        return Fraction(1)
    return int(told[1]) * MONTHS[told[2]]


async def _held(session: AsyncSession, now: datetime) -> Sequence[Any]:
    held = EntitlementRow
    rows = await session.execute(
        select(held.source, held.plan_id, func.count().label("owners"))
        .where(
            held.plan_id != FREE,
            held.status == EntitlementStatus.ACTIVE,
            or_(held.expires_at.is_(None), held.expires_at > now),
        )
        .group_by(held.source, held.plan_id)
    )
    return rows.all()


async def _running(session: AsyncSession) -> Sequence[Any]:
    bought = Purchase
    keys = (bought.state, bought.plan_id, bought.currency, bought.period)
    known = bought.list_price_minor.is_not(None)
    rows = await session.execute(
        select(
            *keys,
            known.label("known"),
            func.count().label("purchases"),
            func.sum(bought.list_price_minor).cast(BigInt).label("list_minor"),
            func.sum(bought.plan_price_cents).cast(BigInt).label("plan_cents"),
        )
        .where(
            bought.state.in_((*EARNING, PurchaseState.TRIALING)),
            bought.environment == Environment.PRODUCTION,
            bought.ownership == Ownership.PURCHASED,
            bought.plan_id.is_not(None),
            bought.override.is_(False),
            bought.lifetime.is_(False),
        )
        .group_by(*keys, known)
    )
    return rows.all()


def _mrr(running: Sequence[Any]) -> dict[str, Decimal]:
    """Add up list prices by the month; where a store told none, the plan's price counts."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for row in running:
        if row.state not in EARNING:
            continue
        if row.known and row.currency:
            price = Fraction(units(row.list_minor, row.currency))
            found[row.currency.lower()] += price / months_of(row.period)
        else:
            found[USD] += Fraction(row.plan_cents or 0, 100)
    return {
        currency: (Decimal(amount.numerator) / amount.denominator).quantize(Decimal("0.01"))
        for currency, amount in found.items()
    }


def _listed(running: Sequence[Any]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for row in running:
        if row.state in EARNING:
            found[row.plan_id] += row.plan_cents or 0
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trials:
    begun: int
    decided: int
    converted: int


async def _trials(session: AsyncSession, window: Window, now: datetime) -> _Trials:
    """Follow the trials that began in a window: was a period of the same lineage paid?"""
    trial, later = aliased(StoreTransaction), aliased(StoreTransaction)
    paid = exists().where(
        later.source == trial.source,
        later.environment == trial.environment,
        later.lineage_id == trial.lineage_id,
        later.paid == Paid.PERIOD,
    )
    over = or_(paid, trial.period_end <= now)
    row = (
        await session.execute(
            select(
                func.count().label("begun"),
                func.count().filter(over).label("decided"),
                func.count().filter(paid).label("converted"),
            ).where(
                and_(trial.paid_at >= window.since, trial.paid_at < window.until),
                trial.paid == Paid.TRIAL,
                trial.environment == Environment.PRODUCTION,
            )
        )
    ).one()
    return _Trials(begun=row.begun, decided=row.decided, converted=row.converted)
