"""Experiments to start from."""

import json
from collections.abc import Sequence

import typer

from medici.cli.process import at_work, command_settings
from medici.domain.experiments.audit import Act
from medici.domain.experiments.service.seeding import Seeded, rehearse, seed_templates
from medici.domain.identity.principal import SYSTEM
from medici.doors.studio.routing.schemas import enableable
from medici.resources import Resources

ACTOR = "shell"


async def seed_experiments(*, dry_run: bool) -> None:
    """Set the templates up, or find out what that would do, and print what became of each."""
    async with at_work(command_settings()) as resources:
        seeded = await (_rehearsed(resources) if dry_run else _done(resources))
    told = [{"template_id": each.template_id, "outcome": each.outcome} for each in seeded]
    typer.echo(json.dumps({"dry_run": dry_run, "templates": told}))


async def _rehearsed(resources: Resources) -> Sequence[Seeded]:
    async with resources.database.reading() as session:
        return await rehearse(session)


async def _done(resources: Resources) -> Sequence[Seeded]:
    act = Act(operator=SYSTEM, actor=ACTOR, reason="experiment templates", now=resources.now())
    async with resources.database.transaction() as session:
        return await seed_templates(session, act=act, registered=enableable(resources))
