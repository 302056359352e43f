"""Comparing what customers were told with what the database holds."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select

from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import Hold, HoldStatus, LedgerTransaction, PostingKind
from medici.domain.pictures.models import Picture
from medici.domain.rendering.models import TERMINAL, RenderJob, RenderState
from medici.domain.rendering.work import SWEEP
from medici.jobs.models import Job, State
from medici.kernel.db.database import Database
from tests.faults.deployments import Deployment
from tests.faults.journal import Journal, Line
from tests.jobs.waiting import until

CAPTURES = (PostingKind.CAPTURE, PostingKind.LATE_CAPTURE)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the database holds about one render and its price."""

    job: RenderJob
    hold_status: HoldStatus | None
    captures: int
    picture: Path | None


@dataclass(frozen=True, kw_only=True)
class Books:
    """Everything that is compared."""

    stored: Sequence[Stored]
    lines: Sequence[Line]
    audit_findings: Sequence[str]

    @property
    def acknowledged(self) -> int:
        return len({line.job_id for line in self.lines if line.acknowledges})

    @property
    def states(self) -> Counter[str]:
        return Counter(one.job.state.value for one in self.stored)

    @property
    def error_codes(self) -> Counter[str]:
        return Counter(one.job.error_code for one in self.stored if one.job.error_code)

    @property
    def answers(self) -> Counter[int]:
        """Every answer to an order by its status; 0 counts those that were lost."""
        return Counter(line.status for line in self.lines if line.happening != "sent")

    def discrepancies(self) -> list[str]:
        """Return one sentence for each thing that is not as the customers were told."""
        return [
            *_lost(self.lines, self.stored),
            *_doubled(self.stored),
            *(fault for one in self.stored for fault in _faults(one)),
            *self.audit_findings,
        ]


async def settled(database: Database, *, within: float) -> None:
    """Wait until every render has ended and no work on one is left."""

    async def quiet() -> bool:
        return not await _unfinished(database)

    try:
        await until(quiet, within=within)
    except TimeoutError:
        left = "\n".join(await _unfinished(database))
        raise AssertionError(f"unfinished after {within:.1f} s:\n{left}") from None


async def _unfinished(database: Database) -> list[str]:
    """Name the renders that have not ended, and the work on renders that has not."""
    renders = select(RenderJob).where(RenderJob.state.not_in(TERMINAL))
    jobs = select(Job).where(
        Job.kind.startswith("rendering."),
        Job.kind != SWEEP.name,  # comes round for ever, and is nobody's render
        Job.state.in_((State.READY, State.RUNNING)),
    )
    async with database.reading() as session:
        waiting = [
            f"{render.project_id} is {render.state} at {render.provider}: {render.id}"
            for render in await session.scalars(renders)
        ]
        waiting += [
            f"{job.kind} of {job.args['render_job_id']} is {job.state}, due {job.due_at}, "
            f"lease {job.lease_until}, {job.attempts} attempts, {job.losses} losses, "
            f"{job.burial}, {job.last_error_code}: {job.last_error}"
            for job in await session.scalars(jobs)
        ]
    return waiting


async def books(database: Database, journal: Journal, deployment: Deployment) -> Books:
    """Read the journal and the database."""
    captures = (
        select(LedgerTransaction.hold_id, func.count().label("count"))
        .where(LedgerTransaction.kind.in_(CAPTURES))
        .group_by(LedgerTransaction.hold_id)
        .subquery()
    )
    statement = (
        select(RenderJob, Hold.status, captures.c.count, Picture)
        .outerjoin(Hold, Hold.id == RenderJob.hold_id)
        .outerjoin(captures, captures.c.hold_id == RenderJob.hold_id)
        .outerjoin(Picture, Picture.id == RenderJob.output_id)
    )
    async with database.reading() as session:
        stored = [
            Stored(
                job=job,
                hold_status=status,
                captures=count or 0,
                picture=deployment.picture(picture.key) if picture else None,
            )
            for job, status, count, picture in (await session.execute(statement)).all()
        ]
        findings = [str(finding) for finding in await audit(session)]
    return Books(stored=stored, lines=journal.lines(), audit_findings=findings)


def _lost(lines: Iterable[Line], stored: Sequence[Stored]) -> Iterator[str]:
    """Name promises that were forgotten."""
    by_id = {one.job.id: one.job for one in stored}
    for line in lines:
        if line.job_id is None:
            continue
        job = by_id.get(UUID(line.job_id))
        if job is None:
            yield f"order {line.order} was acknowledged as {line.job_id}, which does not exist"
        elif job.project_id != f"order-{line.order}":
            yield f"order {line.order} was answered with the job of {job.project_id}"
        elif line.happening == "canceled" and job.state is not RenderState.CANCELED:
            yield f"order {line.order} was canceled and is {job.state}"


def _doubled(stored: Sequence[Stored]) -> Iterator[str]:
    """Name orders that became more than one job."""
    for project, count in Counter(one.job.project_id for one in stored).items():
        if count > 1:
            yield f"{project} became {count} jobs"


def _faults(one: Stored) -> Iterator[str]:
    """Name what is wrong with a single render: it ended, and was paid for if it succeeded."""
    name, succeeded = one.job.project_id, one.job.state is RenderState.SUCCEEDED
    if not one.job.state.is_terminal:
        yield f"{name} is still {one.job.state}"
    if one.captures != succeeded:
        yield f"{name} is {one.job.state} and was charged {one.captures} times"
    if one.hold_status is not (HoldStatus.CAPTURED if succeeded else HoldStatus.VOIDED):
        yield f"{name} is {one.job.state} and its hold is {one.hold_status}"
    if succeeded and (one.picture is None or not one.picture.is_file()):
        yield f"{name} succeeded without a picture"
