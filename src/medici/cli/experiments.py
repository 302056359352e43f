"""Guardrails and the automation of experiments from the shell."""

from dataclasses import dataclass

import typer

from medici.cli.process import at_work, command_settings
from medici.domain.experiments.audit import Act
from medici.domain.experiments.service import reporting
from medici.domain.experiments.service.automation import Automation, AutomationRun
from medici.domain.experiments.service.guarding import guard_all
from medici.domain.experiments.service.looking import Look, Openings
from medici.domain.experiments.service.notifying import notify
from medici.domain.identity.principal import SYSTEM
from medici.doors.studio.experiments.automation import AutomationRunOut
from medici.doors.studio.experiments.guardrails import GuardrailRunOut
from medici.kernel.ids import new_id
from medici.resources import Resources

BREACHED = 2  # exit codes
BLOCKED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for: how far back to look, whether to act, and in whose name."""

    hours: int
    dry_run: bool
    actor: str
    reason: str

    def look(self, resources: Resources) -> Look:
        return Look.at(resources.now(), hours=self.hours, dry_run=self.dry_run)

    def act(self, look: Look) -> Act:
        return Act(operator=SYSTEM, actor=self.actor, reason=self.reason, now=look.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomationWish(Wish):
    """The same for both steps, whom to tell, and which outcomes are to count as a failure."""

    rollout_limit: int
    notify_url: str | None
    notify_dry_run: bool
    fail_on_breach: bool
    fail_on_blocked: bool


async def guard(wish: Wish) -> None:
    """Judge experiments by their guardrails and print what came of it."""
    async with at_work(command_settings()) as resources:
        look = wish.look(resources)
        run = await guard_all(_openings(resources), look, act=wish.act(look))
    told = GuardrailRunOut.model_validate(reporting.of_guardrails(run))
    typer.echo(told.model_dump_json())


async def automate(wish: AutomationWish) -> None:
    """Do a run of the automation, print what came of it, and tell whoever wants to know."""
    async with at_work(command_settings()) as resources:
        look = wish.look(resources)
        automation = Automation(
            database=resources.database, openings=_openings(resources), clock=resources.clock
        )
        limit, act = wish.rollout_limit, wish.act(look)
        run = await automation.run(new_id(), look, rollout_limit=limit, act=act)
        told = AutomationRunOut.model_validate(reporting.of_automation(run))
        typer.echo(told.model_dump_json())
        url = wish.notify_url or resources.settings.experiment_automation_notify_webhook_url
        if url and (wish.notify_dry_run or not wish.dry_run):
            await notify(resources.outgoing, url, reporting.message(run))
    if code := _exit_code(run, wish):
        raise typer.Exit(code)


def _exit_code(run: AutomationRun, wish: AutomationWish) -> int:
    if wish.fail_on_breach and run.guardrails.breached_count:
        return BREACHED
    return BLOCKED if wish.fail_on_blocked and run.rollouts.blocked else 0


def _openings(resources: Resources) -> Openings:
    database = resources.database
    return Openings(reading=database.reading, transaction=database.transaction)
