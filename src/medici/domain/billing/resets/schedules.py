"""When the reset comes, and how many credits it brings on the two plans that every client knows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing import queries
from medici.domain.billing.allowance import ResetSchedule, zone_called
from medici.domain.billing.models import ResetScheduleRow
from medici.domain.billing.resets import queries as resets_queries
from medici.domain.billing.resets.runs import LOCK
from medici.domain.plans.changes import lock_catalogue, save
from medici.domain.plans.defaults import FREE, PRO
from medici.domain.plans.errors import PlanNotFound
from medici.domain.plans.models import Plan
from medici.domain.plans.queries import plan_by_id
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """When the day turns, and what it brings.

    A plan that does not exist brings nothing. ``next_run_at`` is None while resets are switched
    off, ``last_run_at`` before the first one.
    """

    schedule: ResetSchedule
    free_daily_credits: int
    pro_daily_credits: int
    last_run_at: datetime | None
    next_run_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescheduling:
    """What is to be changed; None leaves a thing as it is."""

    enabled: bool | None = None
    hour: int | None = None
    minute: int | None = None
    time_zone: str | None = None
    free_daily_credits: int | None = None
    pro_daily_credits: int | None = None


async def agenda(session: AsyncSession, *, now: datetime) -> Agenda:
    """Return the schedule as it stands."""
    schedule = await queries.reset_schedule(session)
    window = schedule.window(now)
    return Agenda(
        schedule=schedule,
        free_daily_credits=await _daily_credits(session, FREE),
        pro_daily_credits=await _daily_credits(session, PRO),
        last_run_at=await resets_queries.last_run_at(session),
        next_run_at=window.ends_at if schedule.enabled else None,
    )


async def reschedule(session: AsyncSession, change: Rescheduling, *, now: datetime) -> None:
    """Change the schedule, and the daily credits of the plans ``free`` and ``pro``.

    A boundary that moves gives no date twice; more credits are added to the present day at its
    next touch, fewer count from the next day on.

    Raises:
        PlanNotFound: credits are set for a plan that does not exist.
        UnknownTimeZone: there is no such zone.
    """
    if change.time_zone is not None:
        zone_called(change.time_zone)
    await lock_names(await driver_of(session), [LOCK])
    schedule = await queries.reset_schedule(session)
    await session.merge(
        ResetScheduleRow(
            id=1,
            enabled=schedule.enabled if change.enabled is None else change.enabled,
            reset_hour_utc=schedule.hour if change.hour is None else change.hour,
            reset_minute_utc=schedule.minute if change.minute is None else change.minute,
            time_zone=schedule.time_zone if change.time_zone is None else change.time_zone,
        )
    )
    await session.flush()
    await _set_daily_credits(session, FREE, change.free_daily_credits, now=now)
    await _set_daily_credits(session, PRO, change.pro_daily_credits, now=now)


async def _daily_credits(session: AsyncSession, plan_id: str) -> int:
    plan = await plan_by_id(session, plan_id)
    return plan.daily_credits if plan else 0


async def _set_daily_credits(
    session: AsyncSession, plan_id: str, credits: int | None, *, now: datetime
) -> None:
    # Clients send back the whole form, so what has not changed is no change.
    if credits is None or credits == await _daily_credits(session, plan_id):
        return
    await lock_catalogue(session)
    if await plan_by_id(session, plan_id) is None:
        raise PlanNotFound(f"there is no plan {plan_id}")
    await save(session, Plan, plan_id, {"daily_credits": credits}, now=now)
