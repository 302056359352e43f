"""Everything at a glance, each part beside what it was in the span before."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics import queries
from medici.domain.analytics.queries import Freshness, Renderers
from medici.domain.analytics.spans import Window
from medici.domain.events.facts import EventName
from medici.domain.identity.queries import users_signed_in
from medici.domain.insights import alerts as alerting
from medici.domain.insights import breakdowns, margin, paths, payments, queueing, subscriptions
from medici.domain.insights.alerts import AlertFigure
from medici.domain.insights.breakdowns import (
    OperationShare,
    PlatformShare,
    ProviderShare,
    RenderHealth,
    StatusShare,
)
from medici.domain.insights.figures import MoneyFigure, money, usd
from medici.domain.insights.margin import PerRender
from medici.domain.insights.overview import Overview
from medici.domain.insights.paths import FunnelFigure
from medici.domain.insights.queueing import Queue
from medici.domain.insights.subscriptions import Dues, Flow, Subscriptions
from medici.domain.insights.tallies import Tally, tallies_by
from medici.domain.insights.views import View, view
from medici.domain.ledger.models import Wallet
from medici.domain.plans.queries import load_variables
from medici.domain.plans.variables import Variables
from medici.kernel.db.base import BigInt
from medici.kernel.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantShare:
    """The users of a variant and those who began to pay, against control by the test for one look.

    ``id``, ``assigned``, ``converted`` and ``rate`` say the same as the longer names.
    """

    variant_id: str
    assigned_users: int
    active_paid_users: int
    paid_conversion_rate: float
    id: str
    assigned: int
    converted: int
    rate: float
    ci: tuple[float, float] | None
    lift: float | None
    p_value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentFigure:
    """One running experiment, by its users of the window. Rates and lifts are percentages."""

    id: str
    experiment_id: str
    name: str
    primary_metric: str
    is_active: bool
    total_assigned_users: int
    active_paid_users: int
    paid_conversion_rate: float
    variants: Sequence[VariantShare]


# Whoever knows how experiments stood in a window.
ExperimentFigures: TypeAlias = Callable[
    [AsyncSession, Window], Awaitable[Sequence[ExperimentFigure]]
]


async def no_experiments(_session: AsyncSession, _window: Window) -> Sequence[ExperimentFigure]:
    """Tell of none, where there are none."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """As facts tell it. ``balance_outstanding`` is what all wallets hold now."""

    granted: int
    consumed: int
    refunded: int
    expired: int
    balance_outstanding: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Amounts in US dollars, but for revenue and fees, which stand by currency."""

    revenue: Sequence[MoneyFigure]
    provider_cost: Sequence[MoneyFigure]
    payment_fees: Sequence[MoneyFigure]
    margin: str
    per_render: PerRender | None
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Seconds since the newest fact was recorded, and since the rollup last ran."""

    events_lag_s: float | None
    rollup_lag_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """The same of the span before, as far as it can still be told."""

    summary: Overview
    render_health: RenderHealth
    credits: Credits
    subscriptions: Flow
    margin: Margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """The last hours. ``previous`` tells the same of as many hours before them."""

    window: Window
    generated_at: datetime
    freshness: Lag
    total: Tally
    renderers: Renderers
    signed_in: int  # users
    reset_credits: int  # that daily resets gave
    checkouts: int  # begun
    activations: int  # of subscriptions
    dues: Dues
    provider_breakdown: Sequence[ProviderShare]
    operation_breakdown: Sequence[OperationShare]
    platform_breakdown: Sequence[PlatformShare]
    status_breakdown: Sequence[StatusShare]
    queue: Queue
    funnel: FunnelFigure
    experiments: Sequence[ExperimentFigure]
    alerts: Sequence[AlertFigure]
    summary: Overview
    render_health: RenderHealth
    credits: Credits
    subscriptions: Subscriptions
    margin: Margin
    previous: Previous


async def dashboard(
    session: AsyncSession,
    *,
    hours: int,
    now: datetime,
    experiments: ExperimentFigures = no_experiments,
) -> Dashboard:
    """Put the dashboard of the last hours together."""
    fresh, variables = await queries.freshness(session), await load_variables(session)
    window = Window.of_hours(hours, until=now)
    seen, before = await view(session, window, fresh), await view(session, window.previous, fresh)
    queue = await queueing.queue(session, now=now)
    summary = Overview.of(seen)
    subscribed = await subscriptions.subscriptions(session, seen, now=now)
    return Dashboard(
        window=window,
        generated_at=now,
        freshness=await _lag(session, fresh, now),
        summary=summary,
        total=seen.total,
        renderers=await queries.renderers(session, window, fresh.rolled_to),
        signed_in=await users_signed_in(session, since=window.since, until=window.until),
        reset_credits=seen.credits(EventName.CREDITS_RESET),
        checkouts=seen.count(EventName.CHECKOUT_STARTED),
        activations=subscribed.new + subscribed.reactivated,
        dues=await subscriptions.dues(session, now=now),
        provider_breakdown=breakdowns.by_provider(seen),
        operation_breakdown=breakdowns.by_operation(seen),
        platform_breakdown=breakdowns.by_platform(seen),
        status_breakdown=breakdowns.by_status(seen),
        render_health=breakdowns.render_health(seen, await queueing.fate(session, window)),
        credits=_credits(seen, await _outstanding(session)),
        subscriptions=subscribed,
        queue=queue,
        funnel=await paths.quick_funnel(session, seen),
        margin=await _margin(session, seen, variables),
        experiments=await experiments(session, window),
        alerts=_alerts(seen, summary, queue, variables),
        previous=await _previous(session, before, subscribed, variables),
    )


def _alerts(
    seen: View, summary: Overview, queue: Queue, variables: Variables
) -> Sequence[AlertFigure]:
    return alerting.alerts(
        seen.total,
        tallies_by(seen.cells, "provider"),
        p95_ms=summary.latency_ms.p95,
        queued=queue.depth.queued,
        variables=variables,
    )


async def _previous(
    session: AsyncSession, before: View, later: Subscriptions, variables: Variables
) -> Previous:
    return Previous(
        summary=Overview.of(before),
        render_health=breakdowns.render_health(before, None),
        credits=_credits(before, None),
        subscriptions=subscriptions.flow(before, later),
        margin=await _margin(session, before, variables),
    )


async def _margin(session: AsyncSession, seen: View, variables: Variables) -> Margin:
    paid = await payments.income(session, seen.window)
    earned = margin.earned_by_plan(paid, payments.fee_shares(variables))
    total = margin.total_margin(seen.cells, earned)
    return Margin(
        revenue=money(payments.by_currency(paid)),
        provider_cost=usd(seen.total.cost_micros),
        payment_fees=money(payments.fees(paid, variables)),
        margin=total.margin,
        per_render=total.per_render,
        method=margin.METHOD,
    )


def _credits(seen: View, outstanding: int | None) -> Credits:
    return Credits(
        granted=seen.credits(EventName.CREDITS_GRANTED),
        consumed=seen.total.credits + seen.credits(EventName.CREDITS_CONSUMED),
        refunded=seen.credits(EventName.CREDITS_REFUNDED),
        expired=seen.credits(EventName.CREDITS_EXPIRED),
        balance_outstanding=outstanding,
    )


async def _outstanding(session: AsyncSession) -> int:
    held = func.sum(Wallet.available + Wallet.held).cast(BigInt)
    wallets = select(held).where(
        Wallet.asset == "credit", Wallet.environment == Environment.PRODUCTION
    )
    return await session.scalar(wallets) or 0


async def _lag(session: AsyncSession, fresh: Freshness, now: datetime) -> Lag:
    newest = await queries.newest_recorded_at(session)
    return Lag(
        events_lag_s=_seconds_since(newest, now), rollup_lag_s=_seconds_since(fresh.ran_at, now)
    )


def _seconds_since(moment: datetime | None, now: datetime) -> float | None:
    return round(max((now - moment).total_seconds(), 0.0), 3) if moment else None
