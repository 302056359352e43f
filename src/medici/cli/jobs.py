"""Looking at the background work that waits or has failed; reviving it, or taking it out."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from medici.cli.process import command_settings, database_alone
from medici.cli.schema import require_newest
from medici.jobs.models import Job, State
from medici.jobs.queries import counts_by_kind, dead_letters, waiting
from medici.jobs.queue import cancel_waiting, revive
from medici.jobs.reviving import Revived, revive_all

SHOWN = (State.READY, State.RUNNING, State.DEAD)


async def show_jobs(kind: str | None) -> None:
    """Count the jobs of each kind by their state."""
    async with database_alone(command_settings()) as database:
        await require_newest(database)
        async with database.reading() as session:
            counts = await counts_by_kind(session, kind=kind)
    Console().print(_counted(counts) if counts else "nothing waits, runs or is dead")


async def show_dead(kind: str | None, *, limit: int) -> None:
    """Show the jobs that failed for good, the latest first, with the error of their last run."""
    async with database_alone(command_settings()) as database:
        await require_newest(database)
        async with database.reading() as session:
            dead = await dead_letters(session, kind=kind, limit=limit)
    if not dead:
        typer.echo("nothing is dead")
    for job in dead:
        typer.echo(_line(job, at=job.finished_at, error_code=job.burial or job.last_error_code))


async def show_waiting(kind: str | None, *, limit: int) -> None:
    """Show the jobs that wait, the soonest first, with the error of their last run."""
    async with database_alone(command_settings()) as database:
        await require_newest(database)
        async with database.reading() as session:
            ready = await waiting(session, kind=kind, limit=limit)
    if not ready:
        typer.echo("nothing waits")
    for job in ready:
        typer.echo(_line(job, at=job.due_at, error_code=job.last_error_code))


async def cancel_one(job_id: UUID) -> None:
    """Take one waiting job out of the queue for good.

    Raises:
        JobNotFound, JobNotWaiting: as ``queue.cancel_waiting`` does.
    """
    async with database_alone(command_settings()) as database:
        await require_newest(database)
        async with database.transaction() as session:
            await cancel_waiting(session, job_id)
    typer.echo("1 canceled")


async def revive_one(job_id: UUID) -> None:
    """Give one dead job its attempts again.

    Raises:
        JobNotFound, JobNotDead, JobSucceeded: as ``queue.revive`` does.
    """
    async with database_alone(command_settings()) as database:
        await require_newest(database)
        async with database.transaction() as session:
            await revive(session, job_id)
    _tell(Revived(revived=1))


async def revive_many(kind: str | None) -> None:
    """Give every dead job, or those of one kind, their attempts again."""
    async with database_alone(command_settings()) as database:
        await require_newest(database)
        _tell(await revive_all(database, kind=kind))


def _counted(counts: Mapping[tuple[str, State], int]) -> Table:
    table = Table("kind", *SHOWN, box=None, header_style="bold")
    for kind in sorted({kind for kind, _ in counts}):
        table.add_row(escape(kind), *(str(counts.get((kind, state), 0)) for state in SHOWN))
    return table


def _line(job: Job, *, at: datetime | None, error_code: str | None) -> str:
    moment = f"{at:%Y-%m-%d %H:%M:%S}" if at else "-"
    line = f"{job.id} {moment} {job.kind}"
    error = " ".join((job.last_error or "").split())
    return f"{line} {error_code}: {error}" if error_code else line


def _tell(done: Revived) -> None:
    typer.echo(f"{done.revived} revived")
    if done.left:
        typer.echo(f"{done.left} left dead: their work waits already, as another job")
