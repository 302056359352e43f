"""Admitting a batch of orders in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias, cast

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.events import service as events
from medici.domain.events.facts import EventName, Fact
from medici.domain.ledger.service.holds import write_holds
from medici.domain.pictures.models import Picture
from medici.domain.rendering.errors import CreditsMissing, PreviewRequired
from medici.domain.rendering.models import RenderJob
from medici.domain.rendering.orders import Application
from medici.domain.rendering.service.admission.deciding import decide
from medici.domain.rendering.service.admission.standing import Standing, read
from medici.domain.rendering.work import DISPATCH
from medici.jobs.bulk import Work, enqueue_new
from medici.kernel.db.padding import padded
from medici.kernel.errors import MediciError

Outcome: TypeAlias = RenderJob | MediciError

REFUSALS: dict[type[MediciError], EventName] = {
    PreviewRequired: EventName.RENDER_BLOCKED_PREVIEW_REQUIRED,
    CreditsMissing: EventName.RENDER_BLOCKED_INSUFFICIENT_CREDITS,
}
TABLE = cast("Table", RenderJob.__table__)
COLUMNS = tuple(column.name for column in TABLE.columns)
INSERT_JOB = insert(TABLE)
USE_PICTURES = (
    update(cast("Table", Picture.__table__))
    .where(Picture.id.in_(bindparam("pictures", expanding=True)))
    .values(expires_at=None)
)


async def admit(
    session: AsyncSession, applications: Sequence[Application], *, now: datetime
) -> list[Outcome]:
    """Admit renders: hold their prices and queue them. Nothing outside is called.

    Each order gets its job or the error that refuses it, and a refusal touches no other order. The
    day's allowance is given and the facts are recorded for the refused as well.
    """
    await session.flush()
    standing = await read(session, applications, now=now)
    outcomes = [_outcome(standing, application) for application in applications]
    jobs = [outcome for outcome in outcomes if isinstance(outcome, RenderJob)]

    await write_holds(session, list(standing.books.values()), standing.holds)
    if jobs:
        await session.execute(INSERT_JOB, [_row(job) for job in jobs])
        works = [Work(str(job.id), {"render_job_id": str(job.id)}) for job in jobs]
        await enqueue_new(session, DISPATCH, works, now=now)
    if standing.used:
        await session.execute(USE_PICTURES, {"pictures": padded(standing.used)})
    await events.record_all(session, _facts(applications, outcomes), now=now)
    return outcomes


def _outcome(standing: Standing, application: Application) -> Outcome:
    try:
        return decide(standing, application)
    except MediciError as refused:
        return refused


def _row(job: RenderJob) -> dict[str, object]:
    return {name: getattr(job, name) for name in COLUMNS}


def _facts(applications: Sequence[Application], outcomes: Sequence[Outcome]) -> list[Fact]:
    facts = []
    for application, outcome in zip(applications, outcomes, strict=True):
        if isinstance(outcome, RenderJob):
            facts.append(_dispatched(outcome))
        elif name := REFUSALS.get(type(outcome)):
            facts.append(_blocked(application, name))
    return facts


def _dispatched(job: RenderJob) -> Fact:
    return Fact(
        name=EventName.RENDER_DISPATCHED,
        user_id=job.user_id,
        platform=job.platform,
        provider=job.provider,
        model=job.provider_model,
        operation=job.operation,
        tier=job.tier,
        status="queued",
        credits=job.credits,
        plan_id=job.plan_id,
        project_id=job.project_id,
        style_id=job.style_id,
        render_job_id=job.id,
    )


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
