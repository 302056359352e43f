"""``medici jobs``: the background work."""

# ruff: noqa: PLC0415 - each command loads its part of the application, so that help is quick

import asyncio
from typing import Annotated
from uuid import UUID

import typer

app = typer.Typer(help="Look after the background work.")
KindOption = Annotated[str | None, typer.Option(help="Only jobs of this kind.")]


@app.callback()
def jobs(
    context: typer.Context,
    dead: Annotated[
        bool, typer.Option("--dead", help="Show what failed for good, and why.")
    ] = False,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Show what waits, and until when.")
    ] = False,
    kind: KindOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of these are shown.")] = 100,
) -> None:
    """Count the background jobs that wait, run or have failed for good, by their kind."""
    from medici.cli.jobs import show_dead, show_jobs, show_waiting

    if context.invoked_subcommand is not None:
        return
    if dead and waiting:
        raise typer.BadParameter("ask for --dead or for --waiting")
    if dead:
        asyncio.run(show_dead(kind, limit=limit))
    else:
        asyncio.run(show_waiting(kind, limit=limit) if waiting else show_jobs(kind))


@app.command("cancel")
def jobs_cancel(job_id: Annotated[UUID, typer.Argument(help="A job that waits.")]) -> None:
    """Take a waiting job out of the queue for good; one that runs is refused."""
    from medici.cli.jobs import cancel_one

    asyncio.run(cancel_one(job_id))


@app.command("revive")
def jobs_revive(
    job_id: Annotated[UUID | None, typer.Argument(help="A dead job.")] = None,
    kind: Annotated[str | None, typer.Option(help="All dead jobs of this kind.")] = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="All dead jobs.")] = False,
) -> None:
    """Give dead jobs all their attempts again, once what killed them is mended."""
    from medici.cli.jobs import revive_many, revive_one

    if [job_id is None, kind is None, not all_dead].count(False) != 1:
        raise typer.BadParameter("name one job, or --kind, or --all-dead")
    asyncio.run(revive_many(kind) if job_id is None else revive_one(job_id))
