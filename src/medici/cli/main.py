"""The commands with their options. What a command does is loaded when it runs.

The signatures stand together here and in ``groups``, because they are what a shell, its help and a
reader see.
"""

# ruff: noqa: PLC0415 - each command loads its part of the application, so that help is quick
# ruff: noqa: PLR0917 - the shell gives options by name

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from medici.cli.groups import credits, experiments, jobs, seed
from medici.cli.spoken import Spoken
from medici.cli.words import Tier, Vendor

app = typer.Typer(
    cls=Spoken,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="The backend of a business that sells AI-generated images.",
)
ledger_app = typer.Typer(no_args_is_help=True, help="Look after the credit ledger.")
app.add_typer(seed.app, name="seed", invoke_without_command=True)
app.add_typer(ledger_app, name="ledger")
app.add_typer(credits.app, name="credits")
app.add_typer(experiments.app, name="experiments")
app.add_typer(jobs.app, name="jobs", invoke_without_command=True)

UserOption = Annotated[str, typer.Option(help="Whose credits pay for it.")]
OutFile = Annotated[Path | None, typer.Option(dir_okay=False, help="Where it is written.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("medici"))
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """Let every command share the options that come before it."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes serve.")] = 1,
) -> None:
    """Serve the API, and do the background work unless MEDICI_RUNNER says otherwise."""
    from medici.cli.serve import serve

    serve(host=host, port=port, workers=workers)


@app.command()
def worker(
    queues: Annotated[
        str, typer.Option(help="Whose jobs it does, separated by commas.")
    ] = "default,image_queue,polling_queue",
) -> None:
    """Do the background work in a process of its own, until SIGTERM."""
    from medici.cli.worker import worker

    asyncio.run(worker(queues))


@app.command()
def migrate(
    revision: Annotated[str, typer.Option(help="The revision to go up to.")] = "head",
    down: Annotated[
        str | None, typer.Option(help="The revision to go back to; 'base' empties the database.")
    ] = None,
) -> None:
    """Bring the database to another revision of its schema."""
    from medici.cli.migrate import migrate

    asyncio.run(migrate(revision=revision, down=down))


@app.command()
def migration(
    message: Annotated[str, typer.Argument(help="What the new revision does, in a few words.")],
) -> None:
    """Write a new revision from what the models have and the schema has not."""
    from medici.cli.migration import write_revision

    asyncio.run(write_revision(message))


@app.command()
def render(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    style: Annotated[str, typer.Option(help="The look that the room gets.")] = "japandi",
    tier: Annotated[Tier, typer.Option(help="How good, and how dear.")] = Tier.PREVIEW,
    prompt: Annotated[str, typer.Option(help="Wishes in your own words.")] = "",
    out: OutFile = None,
    user: UserOption = "demo",
    project: Annotated[str, typer.Option(help="What the picture belongs to.")] = "shell",
) -> None:
    """Render a photo as a customer's order: upload, hold, provider, picture, capture."""
    from medici.cli.render import Commission, render

    commission = Commission(
        photo=photo, style=style, tier=tier.value, prompt=prompt, user=user, project=project
    )
    asyncio.run(render(commission, out))


@app.command()
def demo(
    style: Annotated[str, typer.Option(help="The look that the room gets.")] = "japandi",
    every: Annotated[bool, typer.Option("--all", help="Render it in every style.")] = False,
) -> None:
    """Render the sample photo and tell where the picture lies; for development."""
    from medici.cli.demo import demo

    asyncio.run(demo(None if every else style))


@app.command()
def fakes(
    vendor: Annotated[Vendor, typer.Argument(help="Whose API it speaks.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0 takes a free one; each has its own.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same ids.")] = 0,
) -> None:
    """Serve a stand-in for a provider or a store that misbehaves on order; nothing costs."""
    from medici.cli.fakes import Stage, serve_fake

    asyncio.run(serve_fake(vendor, Stage(host=host, port=port, seed=seed)))


@app.command()
def call(
    task: Annotated[str | None, typer.Argument(help="The name of a task.")] = None,
    args: Annotated[str, typer.Option(help="Its arguments as a JSON object.")] = "{}",
    listing: Annotated[bool, typer.Option("--list", help="Show tasks and schedules.")] = False,
) -> None:
    """Run one task of the background work here and now, to its end."""
    from medici.cli.call import call, show_tasks

    if listing:
        show_tasks()
    elif task is None:
        raise typer.BadParameter("name a task, or ask for --list")
    else:
        asyncio.run(call(task, args))


@app.command()
@ledger_app.command("verify")
def audit() -> None:
    """Check every invariant of the credit ledger; exit 1 if one does not hold."""
    from medici.cli.audit import audit

    asyncio.run(audit())


@app.command()
def openapi(
    out: OutFile = None,
    check: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A file that must say the same."),
    ] = None,
) -> None:
    """Print the description of the API, the same on every machine."""
    from medici.cli.openapi import check_description, description

    if check is not None:
        check_description(check)
    elif out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(description())
    else:
        typer.echo(description(), nl=False)


@app.command()
def smoke(
    base_url: Annotated[str, typer.Option(help="Where the server is.")] = "http://127.0.0.1:8000",
    admin_token: Annotated[
        str | None, typer.Option(envvar="ADMIN_API_TOKEN", help="The operator's token.")
    ] = None,
    patience: Annotated[float, typer.Option(min=1, help="Seconds that a render may take.")] = 120.0,
) -> None:
    """Use a running server as a customer would, step by step; exit 1 at the first failure."""
    from medici.cli.smoke import smoke

    asyncio.run(smoke(base_url, admin_token=admin_token, patience=patience))


@app.command("smoke-entitlements")
def smoke_entitlements(
    base_url: Annotated[str, typer.Option(help="Where the server is.")] = "http://127.0.0.1:8000",
    storekit_secret: Annotated[
        str | None, typer.Option(envvar="STOREKIT_WEBHOOK_SECRET", help="Of Apple's relay.")
    ] = None,
    google_play_secret: Annotated[
        str | None, typer.Option(envvar="GOOGLE_PLAY_WEBHOOK_SECRET", help="Of Google's relay.")
    ] = None,
    web_billing_secret: Annotated[
        str | None, typer.Option(envvar="WEB_BILLING_WEBHOOK_SECRET", help="Of the web's relay.")
    ] = None,
    patience: Annotated[float, typer.Option(min=1, help="Seconds that a step may take.")] = 30.0,
) -> None:
    """Buy in three stores of a running server and see which purchase counts; exit 1 on failure."""
    from medici.cli.smoke_entitlements import Shop, smoke_entitlements

    secrets = {
        Shop.IOS: storekit_secret,
        Shop.ANDROID: google_play_secret,
        Shop.WEB: web_billing_secret,
    }
    asyncio.run(smoke_entitlements(base_url, secrets=secrets, patience=patience))
