"""Admitting a batch of orders in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias, cast

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.events import service as events
from medici.domain.events.facts import EventName, Fact
from medici.domain.ledger.service.holds import write_holds
from medici.domain.pictures.models import Picture
from medici.domain.rendering.errors import CreditsMissing, PreviewRequired
from medici.domain.rendering.orders import Application
from medici.domain.rendering.rows import JobRow, insert_jobs
from medici.domain.rendering.service.admission.deciding import decide
from medici.domain.rendering.service.admission.standing import Standing, read
from medici.domain.rendering.service.facts import job_fact
from medici.domain.rendering.work import DISPATCH
from medici.jobs.bulk import Work, enqueue_new
from medici.kernel.db.driver.bulk import BulkStatement
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.errors import MediciError

Outcome: TypeAlias = JobRow | MediciError

REFUSALS: dict[type[MediciError], EventName] = {
    PreviewRequired: EventName.RENDER_BLOCKED_PREVIEW_REQUIRED,
    CreditsMissing: EventName.RENDER_BLOCKED_INSUFFICIENT_CREDITS,
}
USE_PICTURES = BulkStatement(
    "UPDATE pictures SET expires_at = NULL FROM {rows} WHERE pictures.id = given.id",
    {"id": cast("Table", Picture.__table__).c.id},
)


async def admit(
    session: AsyncSession, applications: Sequence[Application], *, now: datetime
) -> list[Outcome]:
    """Admit renders in a session's own transaction, as ``admit_on`` does."""
    return await admit_on(await driver_of(session), applications, now=now)


async def admit_on(
    driver: Driver, applications: Sequence[Application], *, now: datetime
) -> list[Outcome]:
    """Admit renders: hold their prices and queue them. Nothing outside is called.

    Each order gets its job or the error that refuses it, and a refusal touches no other order. The
    day's allowance is given and the facts are recorded for the refused as well.
    """
    standing = await read(driver, applications, now=now)
    outcomes = [_outcome(standing, application) for application in applications]
    jobs = [outcome for outcome in outcomes if isinstance(outcome, JobRow)]

    await write_holds(driver, list(standing.books.values()), standing.holds)
    if jobs:
        await insert_jobs(driver, jobs)
        works = [Work(str(job.id), {"render_job_id": str(job.id)}) for job in jobs]
        await enqueue_new(driver, DISPATCH, works, now=now)
    await USE_PICTURES.run(driver, [(picture_id,) for picture_id in sorted(standing.used)])
    await events.record_all(driver, _facts(applications, outcomes, now), now=now)
    return outcomes


def _outcome(standing: Standing, application: Application) -> Outcome:
    try:
        return decide(standing, application)
    except MediciError as refused:
        return refused


def _facts(
    applications: Sequence[Application], outcomes: Sequence[Outcome], now: datetime
) -> list[Fact]:
    facts = []
    for application, outcome in zip(applications, outcomes, strict=True):
        if isinstance(outcome, JobRow):
            facts.append(job_fact(outcome, EventName.RENDER_DISPATCHED, now=now))
        elif name := REFUSALS.get(type(outcome)):
            facts.append(_blocked(application, name))
    return facts


def _blocked(application: Application, name: EventName) -> Fact:
    order = application.order
    return Fact(
        name=name,
        user_id=application.user_id,
        platform=order.platform,
        operation=order.operation,
        tier=order.tier,
        status="blocked",
        project_id=order.project_id,
        style_id=order.style_id,
    )
