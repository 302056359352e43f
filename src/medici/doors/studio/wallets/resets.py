"""The daily reset in an operator's hands: its schedule, and running it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from medici.domain.billing.resets import queries as resets_queries
from medici.domain.billing.resets import runs as resets
from medici.domain.billing.resets import schedules as reset_schedules
from medici.domain.billing.resets.errors import ResetRunNotFound
from medici.domain.billing.resets.models import ResetRun, RunState
from medici.domain.billing.resets.rehearsals import rehearse
from medici.domain.billing.resets.rules import SkippedReason, Tally
from medici.domain.billing.resets.schedules import Agenda, Rescheduling
from medici.domain.identity.service import record_audit
from medici.doors.http.auth import Operator
from medici.doors.http.context import AppResources, Now
from medici.doors.http.paging import Cursor, InvalidCursor, Limit, decode_cursor, encode_cursor
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.catalogue.acts import SIGNED, OperatorAct
from medici.kernel.ids import parse_id
from medici.resources import Resources

BATCHES_AT_ONCE = 6  # what a request does itself, about 3,000 users; the rest goes on behind it
REHEARSED_AT_ONCE = 10_000
MOST_DAILY_CREDITS = 1_000_000

router = APIRouter(prefix="/v1/admin/credits", tags=["credit resets"])

DailyCredits = Annotated[int | None, Field(ge=0, le=MOST_DAILY_CREDITS)]


class ScheduleOut(BaseModel):
    """When the day turns, and how many credits it brings on the plans free and pro.

    Hour and minute are those of the clocks of ``time_zone``, which is UTC unless changed.
    ``last_run_at`` is null before the first reset, ``next_run_at`` while resets are switched off.
    """

    enabled: bool
    reset_hour_utc: int
    reset_minute_utc: int
    free_daily_credits: int
    pro_daily_credits: int
    last_run_at: datetime | None
    next_run_at: datetime | None
    time_zone: str

    @classmethod
    def of(cls, agenda: Agenda) -> "ScheduleOut":
        return cls(
            enabled=agenda.schedule.enabled,
            reset_hour_utc=agenda.schedule.hour,
            reset_minute_utc=agenda.schedule.minute,
            free_daily_credits=agenda.free_daily_credits,
            pro_daily_credits=agenda.pro_daily_credits,
            last_run_at=agenda.last_run_at,
            next_run_at=agenda.next_run_at,
            time_zone=agenda.schedule.time_zone,
        )


class ScheduleIn(BaseModel):
    """What is to be changed; a field that is left out stays as it is."""

    model_config = ConfigDict(strict=True)

    enabled: bool | None = None
    reset_hour_utc: Annotated[int | None, Field(ge=0, le=23)] = None
    reset_minute_utc: Annotated[int | None, Field(ge=0, le=59)] = None
    free_daily_credits: DailyCredits = None
    pro_daily_credits: DailyCredits = None
    time_zone: Annotated[str | None, Field(min_length=1, max_length=64)] = None

    def rescheduling(self) -> Rescheduling:
        return Rescheduling(
            enabled=self.enabled,
            hour=self.reset_hour_utc,
            minute=self.reset_minute_utc,
            free_daily_credits=self.free_daily_credits,
            pro_daily_credits=self.pro_daily_credits,
            time_zone=self.time_zone,
        )


class SkippedOut(BaseModel):
    """Users that a reset left alone: shut out, or with a wallet whose books do not balance."""

    disabled: int
    parked: int


class RunOut(BaseModel):
    """What a reset has done so far.

    While ``state`` is ``running`` it goes on in the background: ask
    ``/v1/admin/credits/reset-runs/{run_id}``. ``run_id`` is null for a dry run that was done at
    once, since nothing of that is kept.
    """

    started_at: datetime
    completed_at: datetime | None
    dry_run: bool
    users_processed: int
    balances_updated: int
    run_id: UUID | None
    state: RunState
    schedule_date: str | None
    credits_granted: int
    skipped: SkippedOut

    @classmethod
    def of(cls, run: ResetRun) -> "RunOut":
        return cls(
            started_at=run.started_at,
            completed_at=run.completed_at,
            dry_run=run.dry_run,
            users_processed=run.users_processed,
            balances_updated=run.balances_updated,
            run_id=run.id,
            state=run.state,
            schedule_date=run.schedule_date,
            credits_granted=run.credits_granted,
            skipped=SkippedOut(disabled=run.skipped_disabled, parked=run.skipped_parked),
        )

    @classmethod
    def rehearsed(cls, tally: Tally, *, started_at: datetime, completed_at: datetime) -> "RunOut":
        return cls(
            started_at=started_at,
            completed_at=completed_at,
            dry_run=True,
            users_processed=tally.users_processed,
            balances_updated=tally.balances_updated,
            run_id=None,
            state=RunState.COMPLETED,
            schedule_date=None,
            credits_granted=tally.credits_granted,
            skipped=SkippedOut(disabled=tally.skipped_disabled, parked=tally.skipped_parked),
        )


class TickOut(BaseModel):
    """``ran`` is true where this tick began the day's reset; ``run_result`` is that reset."""

    checked_at: datetime
    due: bool
    ran: bool
    skipped_reason: SkippedReason | None
    run_result: RunOut | None


class RunsOut(BaseModel):
    """Newest first."""

    runs: list[RunOut]
    next_cursor: str | None


async def _known_id(run_id: str) -> UUID:
    found = parse_id(run_id)
    if found is None:
        raise ResetRunNotFound(f"no reset {run_id}")
    return found


async def _before(cursor: Cursor = None) -> UUID | None:
    if cursor is None:
        return None
    (place,) = decode_cursor(cursor, str)
    found = parse_id(str(place))
    if found is None:
        raise InvalidCursor
    return found


RunId = Annotated[UUID, Depends(_known_id)]
Before = Annotated[UUID | None, Depends(_before)]


@router.get("/reset-schedule")
async def reset_schedule(_operator: Operator, session: ReadSession, now: Now) -> ScheduleOut:
    """Tell when allowances are given anew, and how large they are."""
    return ScheduleOut.of(await reset_schedules.agenda(session, now=now))


@router.put("/reset-schedule")
async def change_reset_schedule(
    body: ScheduleIn, act: OperatorAct, session: DbSession
) -> ScheduleOut:
    """Move the reset, switch it, or change what it brings on the plans free and pro.

    The daily credits are those of the plans themselves. No date is given twice, however often the
    reset is moved.
    """
    before = ScheduleOut.of(await reset_schedules.agenda(session, now=act.now))
    await reset_schedules.reschedule(session, body.rescheduling(), now=act.now)
    after = ScheduleOut.of(await reset_schedules.agenda(session, now=act.now))
    await record_audit(
        session,
        action="credit_reset_schedule_updated",
        operator=act.operator,
        reason=act.reason,
        target=("credit_reset_schedule", "1"),
        before=before.model_dump(mode="json"),
        after={**after.model_dump(mode="json"), SIGNED: act.signed},
        request_id=act.request_id,
        now=act.now,
    )
    return after


@router.post("/run-daily-reset")
async def run_daily_reset(
    act: OperatorAct, resources: AppResources, dry_run: bool = False
) -> RunOut:
    """Give everybody the day's credits now, whether or not the schedule says so.

    Who has had them is given nothing more, and bought credits are never touched. A reset that is
    under way is joined. ``dry_run`` tells the same numbers and changes no balance.
    """
    if dry_run:
        reading = resources.database.reading
        told = await rehearse(reading, now=act.now, at_most=REHEARSED_AT_ONCE)
        if told.complete:
            return RunOut.rehearsed(told.tally, started_at=act.now, completed_at=resources.now())
    async with resources.database.transaction() as session:
        actor = act.operator.actor
        run_id = await resets.begin(session, actor=actor, dry_run=dry_run, now=act.now)
        await record_audit(
            session,
            action="credit_reset_run",
            operator=act.operator,
            reason=act.reason,
            target=("credit_reset_run", str(run_id)),
            after={"dry_run": dry_run, SIGNED: act.signed},
            request_id=act.request_id,
            now=act.now,
        )
    return await _carried_on(resources, run_id)


@router.post("/tick-reset")
async def tick_reset(act: OperatorAct, resources: AppResources) -> TickOut:
    """Run the day's reset if it is due and has not been run; for a clock of your own.

    A running server ticks every minute by itself.
    """
    async with resources.database.transaction() as session:
        ticked = await resets.tick(session, actor=act.operator.actor, now=act.now)
    result = await _carried_on(resources, ticked.run_id) if ticked.run_id else None
    return TickOut(
        checked_at=act.now,
        due=result is not None,
        ran=result is not None,
        skipped_reason=ticked.skipped,
        run_result=result,
    )


@router.get("/reset-runs")
async def reset_runs(
    _operator: Operator, session: ReadSession, before: Before, limit: Limit = 50
) -> RunsOut:
    """List resets with what each has done."""
    found = list(await resets_queries.runs(session, limit=limit + 1, before=before))
    page = found[:limit]
    return RunsOut(
        runs=[RunOut.of(run) for run in page],
        next_cursor=encode_cursor(str(page[-1].id)) if len(found) > limit else None,
    )


@router.get("/reset-runs/{run_id}")
async def reset_run(_operator: Operator, run_id: RunId, session: ReadSession) -> RunOut:
    """Tell how far a reset has come; 404 ``reset_run_not_found``."""
    return RunOut.of(await resets_queries.run_by_id(session, run_id))


async def _carried_on(resources: Resources, run_id: UUID) -> RunOut:
    """Go on with a reset for a moment, and leave the rest to the background."""
    database = resources.database
    ended = await resets.carry_on(
        database.transaction, run_id, clock=resources.clock, batches=BATCHES_AT_ONCE
    )
    async with database.transaction() as session:
        if not ended:
            await resets.hand_over(session, run_id, now=resources.now())
        return RunOut.of(await resets_queries.run_by_id(session, run_id))
