"""``medici experiments``: guardrails and winners."""

# ruff: noqa: PLC0415 - each command loads its part of the application, so that help is quick
# ruff: noqa: PLR0917 - the shell gives options by name

import asyncio
from typing import Annotated

import typer

from medici.cli.words import DryOption

app = typer.Typer(no_args_is_help=True, help="Guard experiments, roll out winners.")
ActorOption = Annotated[str, typer.Option(help="Whose name stands in the audit.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the audit.")]


@app.command("guardrails")
def experiments_guardrails(
    dry_run: DryOption = False,
    hours: Annotated[int, typer.Option(min=1, max=720, help="How far back to look.")] = 24,
    actor: ActorOption = "scheduler",
    reason: ReasonOption = "scheduled_experiment_guardrails",
) -> None:
    """Judge experiments by their guardrails, pause those that are due, and print JSON."""
    from medici.cli.experiments import Wish, guard

    asyncio.run(guard(Wish(hours=hours, dry_run=dry_run, actor=actor, reason=reason)))


@app.command("automation")
def experiments_automation(
    dry_run: DryOption = False,
    hours: Annotated[int, typer.Option(min=1, max=1440, help="How far back to look.")] = 24,
    rollout_limit: Annotated[
        int, typer.Option(min=1, max=1000, help="For how many experiments a step is considered.")
    ] = 200,
    notify_webhook_url: Annotated[
        str | None,
        typer.Option(
            help="Who is sent the result; else EXPERIMENT_AUTOMATION_NOTIFY_WEBHOOK_URL is."
        ),
    ] = None,
    notify_dry_run: Annotated[
        bool, typer.Option("--notify-dry-run", help="Send the result of a dry run as well.")
    ] = False,
    fail_on_breach: Annotated[
        bool, typer.Option("--fail-on-breach", help="Exit 2 if a guardrail is breached.")
    ] = False,
    fail_on_rollout_blocked: Annotated[
        bool, typer.Option("--fail-on-rollout-blocked", help="Exit 3 if a rollout is blocked.")
    ] = False,
    actor: ActorOption = "scheduler",
    reason: ReasonOption = "scheduled_experiment_automation",
) -> None:
    """Look at guardrails, then hand winners to more users, and print JSON."""
    from medici.cli.experiments import AutomationWish, automate

    wish = AutomationWish(
        hours=hours,
        dry_run=dry_run,
        actor=actor,
        reason=reason,
        rollout_limit=rollout_limit,
        notify_url=notify_webhook_url or None,
        notify_dry_run=notify_dry_run,
        fail_on_breach=fail_on_breach,
        fail_on_blocked=fail_on_rollout_blocked,
    )
    asyncio.run(automate(wish))
