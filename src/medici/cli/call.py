"""Running one background task here and now, and showing which there are."""

import json
from collections.abc import Mapping
from random import SystemRandom

import typer
from rich.console import Console
from rich.table import Table

from medici.bootstrap import job_registry
from medici.cli.process import at_work, command_settings
from medici.jobs.call import Called
from medici.jobs.call import call as call_job
from medici.jobs.kinds import Argument
from medici.jobs.models import State
from medici.jobs.schedules import Daily, Schedule
from medici.kernel.errors import Kind, MediciError


class UnreadableArguments(MediciError):
    """``--args`` is no JSON object."""

    kind = Kind.INVALID
    code = "unreadable_arguments"


class TaskFailed(MediciError):
    """The task came to its end, and not to a good one."""

    def __init__(self, called: Called) -> None:
        super().__init__(f"job {called.job_id} is {called.state}: {called.error}")
        self.code = called.error_code or "job_failed"


async def call(task: str, args: str) -> None:
    """Run a task to its end with its retries, and tell how it went.

    Raises:
        UnknownJobKind: there is no such task.
        TaskFailed: it was given up or canceled.
    """
    read = arguments(args)
    settings = command_settings()
    async with at_work(settings) as resources:
        called = await call_job(
            resources.database,
            job_registry(),
            resources,
            task,
            read,
            clock=resources.clock,
            draw=SystemRandom().random,
            lease_seconds=settings.medici_job_lease_seconds,
        )
    if called.state is not State.DONE:
        raise TaskFailed(called)
    typer.echo(f"{called.state} {called.job_id}")


def arguments(text: str) -> Mapping[str, Argument]:
    """Read a task's arguments.

    Raises:
        UnreadableArguments: not a JSON object.
    """
    try:
        read = json.loads(text)
    except ValueError as error:
        raise UnreadableArguments(f"--args is no JSON: {error}") from error
    if not isinstance(read, dict):
        raise UnreadableArguments('--args must be a JSON object such as {"limit": 10}')
    return read


def show_tasks() -> None:
    """List every task with its queue, how often it is tried, and when it comes round."""
    registry = job_registry()
    rounds = {schedule.name: _rhythm(schedule) for schedule in registry.schedules}
    table = Table("task", "queue", "attempts", "schedule", box=None, header_style="bold")
    for kind in sorted(registry.kinds, key=lambda kind: kind.name):
        table.add_row(kind.name, kind.queue, str(kind.attempts), rounds.get(kind.name, ""))
    Console().print(table)


def _rhythm(schedule: Schedule) -> str:
    if isinstance(schedule.every, Daily):
        return f"daily at {schedule.every.hour:02}:{schedule.every.minute:02} UTC"
    return f"every {schedule.every.total_seconds() / 60:g} min"
