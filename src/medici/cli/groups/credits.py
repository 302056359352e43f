"""``medici credits``: everybody's credits of the day."""

# ruff: noqa: PLC0415 - each command loads its part of the application, so that help is quick

import asyncio

import typer

from medici.cli.words import DryOption

app = typer.Typer(no_args_is_help=True, help="Give everybody the day's credits.")


@app.command("reset")
def credits_reset(
    dry_run: DryOption = False,
) -> None:
    """Run the daily reset to its end and print as JSON what it did; exit 1 if it failed."""
    from medici.cli.credits import reset

    asyncio.run(reset(dry_run=dry_run))


@app.command("tick")
def credits_tick() -> None:
    """Do the same if the schedule says that it is due; for cron, as often as you like."""
    from medici.cli.credits import tick

    asyncio.run(tick())
