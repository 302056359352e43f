"""What facts add up to, for the operator's dashboards."""

import re
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Query
from pydantic import BaseModel

from medici.domain.analytics import queries
from medici.domain.analytics.errors import UnfitQuestion
from medici.domain.analytics.funnels import Mode
from medici.domain.analytics.retention import Unit
from medici.domain.analytics.spans import Window
from medici.domain.insights import margin, overview, paths, payments, subscriptions, user_margin
from medici.domain.insights.dashboard import dashboard
from medici.domain.insights.experiments import experiment_figures
from medici.domain.insights.margin import METHOD, By, MarginFigure
from medici.domain.insights.overview import Overview
from medici.domain.insights.paths import DEFAULT_STEPS, FunnelFigure, Retention
from medici.domain.insights.subscriptions import SubscriptionReport
from medici.domain.insights.views import view
from medici.domain.plans.queries import load_variables
from medici.doors.http.auth import Operator
from medici.doors.http.context import Now
from medici.doors.http.paging import Cursor, InvalidCursor, Limit, decode_cursor, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.analytics.dashboard import DashboardOut, SpanOut

MOST_HOURS = 2160
MOST_STEPS = 20
MONTH_HOURS = 720

router = APIRouter(prefix="/v1/admin/analytics", tags=["analytics"])

Hours = Annotated[int, Query(ge=1, le=MOST_HOURS)]
STEP = re.compile(r"[a-z][a-z0-9_.]{0,63}", re.ASCII)


class UnknownTimeZone(UnfitQuestion):
    code = "unknown_time_zone"


class MarginsOut(BaseModel):
    """Margins in US dollars; ``method`` says how revenue was attributed."""

    window: SpanOut
    by: By
    currency: str = "usd"
    method: str = METHOD
    total: MarginFigure
    items: list[MarginFigure]
    next_cursor: str | None = None


@router.get("/overview")
async def overview_of_everything(
    _operator: Operator,
    session: ReadSession,
    now: Now,
    hours: Annotated[int | None, Query(ge=1, le=MOST_HOURS)] = None,
) -> Overview:
    """Return the main figures of the last ``hours``, or of everything that is kept."""
    return await overview.overview(session, hours=hours, now=now)


@router.get("/dashboard")
async def dashboard_of_hours(
    _operator: Operator, session: ReadSession, now: Now, hours: Hours = 24
) -> DashboardOut:
    """Return every figure of the last ``hours`` beside those of the hours before.

    Whole hours come from the rollup, the rest from the facts themselves. ``freshness`` tells how
    old the rollup is; a fact that is told late counts in its hour once that is rolled up again.
    """
    told = await dashboard(session, hours=hours, now=now, experiments=experiment_figures)
    return DashboardOut.of(told, hours)


@router.get("/funnel")
async def funnel_of_steps(
    _operator: Operator,
    session: ReadSession,
    now: Now,
    steps: Annotated[list[str] | None, Query(max_length=MOST_STEPS)] = None,
    window_hours: Annotated[float, Query(gt=0, le=MOST_HOURS)] = 24,
    hours: Hours = MONTH_HOURS,
    mode: Mode = Mode.ORDERED,
) -> FunnelFigure:
    """Count who came how far along ``steps``, given one by one or separated by commas.

    The first step lies within the last ``hours``; all others follow within ``window_hours`` of it.
    ``render_preview_completed``, ``render_final_completed`` and ``render_completed`` are renders
    that our server finished, whatever clients report.
    """
    return await paths.funnel(
        session,
        _named(steps),
        Window.of_hours(hours, until=now),
        within=timedelta(hours=window_hours),
        mode=mode,
    )


@router.get("/retention")
async def retention_of_cohorts(
    _operator: Operator,
    session: ReadSession,
    now: Now,
    unit: Unit = Unit.DAY,
    tz: Annotated[str, Query(max_length=64)] = "UTC",
    buckets: Annotated[int, Query(ge=1, le=90)] = 14,
) -> Retention:
    """Follow those who were first seen in each of the last ``buckets`` days, weeks or months."""
    return await paths.retention(session, unit=unit, zone=_zone(tz), count=buckets, now=now)


@router.get("/subscriptions")
async def subscription_figures(
    _operator: Operator, session: ReadSession, now: Now, hours: Hours = MONTH_HOURS
) -> SubscriptionReport:
    """Return subscribers by source and plan, monthly revenue, churn, conversion and refunds."""
    fresh = await queries.freshness(session)
    seen = await view(session, Window.of_hours(hours, until=now), fresh)
    return await subscriptions.report(session, seen, now=now)


@router.get("/margin")
async def margin_figures(
    _operator: Operator,
    session: ReadSession,
    now: Now,
    by: By = By.PLAN,
    hours: Hours = MONTH_HOURS,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> MarginsOut:
    """Return what renders earned and cost in the last ``hours``, by plan, provider, user and more.

    Users come in pages by their id, everything else at once, with what earned most at the top.
    """
    until, after = _place(cursor) if by is By.USER and cursor else (now, None)
    window, fresh = Window.of_hours(hours, until=until), await queries.freshness(session)
    seen = await view(session, window, fresh)
    kept = payments.fee_shares(await load_variables(session))
    earned = margin.earned_by_plan(await payments.income(session, window), kept)
    if by is By.USER:
        items = await user_margin.user_margins(
            session, window, fresh, kept, after=after, limit=limit
        )
    else:
        items = margin.margins(seen.cells, earned, by)
    more = by is By.USER and len(items) == limit
    return MarginsOut(
        window=SpanOut.of(window.since, window.until),
        by=by,
        total=margin.total_margin(seen.cells, earned),
        items=items,
        next_cursor=encode_cursor(until.isoformat(), items[-1].key) if more else None,
    )


def _place(cursor: str) -> tuple[datetime, str]:
    """Return until when the first page reckoned, and the user that it ended with."""
    until, after = decode_cursor(cursor, str, str)
    try:
        moment = datetime.fromisoformat(str(until))
    except ValueError as error:
        raise InvalidCursor from error
    if moment.tzinfo is None:
        raise InvalidCursor
    return moment, str(after)


def _named(steps: list[str] | None) -> list[str]:
    named = [step.strip() for each in steps or DEFAULT_STEPS for step in each.split(",")]
    if not 2 <= len(named) <= MOST_STEPS:
        raise UnfitQuestion(f"a funnel has 2 to {MOST_STEPS} steps")
    if any(not STEP.fullmatch(step) for step in named):
        raise UnfitQuestion("a step is the name of an event")
    return named


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownTimeZone("expected a time zone such as Europe/Berlin") from error
