"""The automation by the clock: every hour, if the operators have switched it on."""

from datetime import datetime, timedelta

import structlog

from medici.domain.experiments.audit import Act
from medici.domain.experiments.service import reporting
from medici.domain.experiments.service.automation import (
    Automation,
    AutomationAlreadyRunning,
    AutomationRun,
)
from medici.domain.experiments.service.looking import Look, Openings
from medici.domain.experiments.service.notifying import notify
from medici.domain.experiments.variables import experiment_policy
from medici.domain.experiments.work import AUTOMATION, TICK
from medici.domain.identity.principal import SYSTEM
from medici.jobs.handlers import handles
from medici.jobs.queue import enqueue
from medici.jobs.run import Run
from medici.jobs.schedules import Schedule
from medici.resources import Resources

SCHEDULE = Schedule(kind=TICK, every=timedelta(hours=1))
HOURS = 24
ROLLOUT_LIMIT = 1000
ACTOR = "scheduler"
REASON = "scheduled_experiment_automation"


@handles(TICK)
async def tick(run: Run[Resources]) -> None:
    """Have the hour's run begun; one that is interrupted goes on as that run, not as another."""
    async with run.transaction() as session:
        if (await experiment_policy(session)).automation_enabled:
            await enqueue(
                session, AUTOMATION, now=run.now(), args={"begun_at": run.now()}, key="hourly"
            )


@handles(AUTOMATION)
async def automate(run: Run[Resources], *, begun_at: datetime | None = None) -> None:
    """Do a run of the automation, if that is switched on; ``begun_at`` None begins one now."""
    async with run.resources.database.reading() as session:
        if not (await experiment_policy(session)).automation_enabled:
            return
    now = run.now()
    look = Look(now=now, hours=HOURS, dry_run=False, begun_at=begun_at or now)
    act = Act(operator=SYSTEM, actor=ACTOR, reason=REASON, now=now)
    work = Automation(
        database=run.resources.database,
        openings=Openings(reading=run.resources.database.reading, transaction=run.transaction),
        clock=run.now,
        closing=run.finish,
    )
    try:
        done = await work.run(run.id, look, rollout_limit=ROLLOUT_LIMIT, act=act)
    except AutomationAlreadyRunning:
        structlog.get_logger("medici.experiments").info("experiment_automation.already_running")
        return
    await _notify(run.resources, done)


async def _notify(resources: Resources, done: AutomationRun) -> None:
    url = resources.settings.experiment_automation_notify_webhook_url
    if url:
        await notify(resources.outgoing, url, reporting.message(done))
