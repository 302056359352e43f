"""Data to start from: what every deployment needs, and a customer for development."""

import typer

from medici.adapters.providers.request import Tier
from medici.cli.customer import Customer, Wish
from medici.cli.demo import PROJECT, USER, provide_credits
from medici.cli.process import at_work, command_settings, development_settings
from medici.cli.render import watching
from medici.cli.samples import SAMPLE
from medici.domain.pictures.models import Picture
from medici.domain.plans.queries import active_plans, active_styles
from medici.domain.rendering.models import RenderState
from medici.domain.rendering.queries import JobFilter, own_jobs
from medici.domain.routing.queries import published
from medici.resources import Resources
from medici.worker import embedded

WANTED = (  # a final needs the preview before it
    ("scandinavian", Tier.PREVIEW),
    ("industrial", Tier.PREVIEW),
    ("scandinavian", Tier.FINAL),
)


async def seed_defaults() -> None:
    """Install what is missing and tell what is there."""
    async with at_work(command_settings()) as resources:
        typer.echo(await _inventory(resources))


async def seed_demo() -> None:
    """Install the same, and render for the demo user what has not been rendered before."""
    async with at_work(development_settings()) as resources, embedded(resources):
        typer.echo(await _inventory(resources))
        customer = Customer(resources, USER)
        await provide_credits(customer)
        made = await _made(customer)
        if missing := [wanted for wanted in WANTED if wanted not in made]:
            photo = await customer.bring(SAMPLE.read_bytes())
            for style_id, tier in missing:
                await _make(customer, photo, style_id, tier)
        typer.echo(f"user {USER}: {len(WANTED)} renders of project {PROJECT}")


async def _make(customer: Customer, photo: Picture, style_id: str, tier: Tier) -> None:
    wish = Wish(style_id=style_id, project_id=PROJECT, tier=tier)
    with watching() as watch:
        await customer.collect(await customer.order(photo, wish), watch)


async def _made(customer: Customer) -> set[tuple[str, Tier]]:
    wanted = JobFilter(states=(RenderState.SUCCEEDED,), project_id=PROJECT, limit=1000)
    async with customer.resources.database.reading() as session:
        jobs = await own_jobs(session, user_id=customer.user_id, wanted=wanted)
    return {(job.style_id, job.tier) for job in jobs}


async def _inventory(resources: Resources) -> str:
    async with resources.database.reading() as session:
        plans, styles = await active_plans(session), await active_styles(session)
        version = (await published(session)).version
    return f"{len(plans)} plans, {len(styles)} styles, provider settings version {version}"
