"""The daily reset from the shell, to its end."""

from uuid import UUID

import typer

from medici.cli.process import at_work, command_settings
from medici.domain.billing.resets import queries as resets_queries
from medici.domain.billing.resets import runs as resets
from medici.domain.billing.resets.models import RunState
from medici.domain.billing.resets.rehearsals import rehearse
from medici.doors.studio.wallets.resets import RunOut, TickOut
from medici.resources import Resources

ACTOR = "shell"


async def reset(*, dry_run: bool) -> None:
    """Give everybody the day's credits and print what was done, or what would be."""
    async with at_work(command_settings()) as resources:
        done = await (_rehearsed(resources) if dry_run else _done(resources))
    _tell(done)


async def tick() -> None:
    """Do the same if it is due, and print whether it was."""
    async with at_work(command_settings()) as resources:
        now = resources.now()
        async with resources.database.transaction() as session:
            ticked = await resets.tick(session, actor=ACTOR, now=now)
        result = await _carried_on(resources, ticked.run_id) if ticked.run_id else None
    told = TickOut(
        checked_at=now,
        due=result is not None,
        ran=result is not None,
        skipped_reason=ticked.skipped,
        run_result=result,
    )
    typer.echo(told.model_dump_json())
    _insist_on_its_end(result)


async def _rehearsed(resources: Resources) -> RunOut:
    started_at = resources.now()
    told = await rehearse(resources.database.reading, now=started_at)
    return RunOut.rehearsed(told.tally, started_at=started_at, completed_at=resources.now())


async def _done(resources: Resources) -> RunOut:
    async with resources.database.transaction() as session:
        run_id = await resets.begin(session, actor=ACTOR, dry_run=False, now=resources.now())
    return await _carried_on(resources, run_id)


async def _carried_on(resources: Resources, run_id: UUID) -> RunOut:
    await resets.carry_on(resources.database.transaction, run_id, clock=resources.clock)
    async with resources.database.reading() as session:
        return RunOut.of(await resets_queries.run_by_id(session, run_id))


def _tell(result: RunOut) -> None:
    typer.echo(result.model_dump_json())
    _insist_on_its_end(result)


def _insist_on_its_end(result: RunOut | None) -> None:
    if result is not None and result.state is not RunState.COMPLETED:
        raise typer.Exit(1)
