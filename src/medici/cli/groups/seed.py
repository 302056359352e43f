"""``medici seed``: data to start from."""

# ruff: noqa: PLC0415 - each command loads its part of the application, so that help is quick

import asyncio
from typing import Annotated

import typer

from medici.cli.words import DryOption

app = typer.Typer(help="Fill the database with data to start from.")


@app.callback()
def seed(context: typer.Context) -> None:
    """Fill in plans, styles, variables and provider settings where there are none."""
    from medici.cli.seed import seed_defaults

    if context.invoked_subcommand is None:
        asyncio.run(seed_defaults())


@app.command("demo")
def seed_demo() -> None:
    """Give the user 'demo' a few real renders of the sample photo; for development."""
    from medici.cli.seed import seed_demo

    asyncio.run(seed_demo())


@app.command("stripe")
def seed_stripe(
    currency: Annotated[str, typer.Option(help="What prices are in, by its ISO code.")] = "usd",
) -> None:
    """Set up at Stripe the products and prices of all that has a web_product_id."""
    from medici.cli.seed_stripe import seed_stripe

    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise typer.BadParameter("a currency has three letters, such as usd")
    asyncio.run(seed_stripe(currency))


@app.command("experiment-templates")
def seed_experiment_templates(dry_run: DryOption = False) -> None:
    """Set up the built-in experiments, inactive, where there are none; print JSON."""
    from medici.cli.seed_experiments import seed_experiments

    asyncio.run(seed_experiments(dry_run=dry_run))
