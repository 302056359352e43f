"""Looking at the background work that waits or has failed, and giving dead work another life."""

from collections.abc import Mapping
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from medici.cli.process import command_settings, database_alone
from medici.cli.schema import require_newest
from medici.jobs.models import Job, State
from medici.jobs.queries import counts_by_kind, dead_letters
from medici.jobs.queue import revive
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
        typer.echo(_told(job))


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


def _told(job: Job) -> str:
    ended = f"{job.finished_at:%Y-%m-%d %H:%M:%S}" if job.finished_at else "-"
    error = " ".join((job.last_error or "").split())
    return f"{job.id} {ended} {job.kind} {job.burial or job.last_error_code}: {error}"


def _tell(done: Revived) -> None:
    typer.echo(f"{done.revived} revived")
    if done.left:
        typer.echo(f"{done.left} left dead: their work waits already, as another job")
