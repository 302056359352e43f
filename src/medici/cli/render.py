"""Rendering one photo for a user, from the shell."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from medici.adapters.providers.request import Tier
from medici.cli.customer import Customer, Delivered, Watch, Wish
from medici.cli.process import at_work, command_settings
from medici.domain.pictures.rules import EXTENSIONS
from medici.domain.rendering.models import RenderJob
from medici.domain.rendering.rows import JobRow
from medici.worker import embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """A photo on disk and what is wanted of it."""

    photo: Path
    style: str
    tier: str
    prompt: str
    user: str
    project: str

    @property
    def wish(self) -> Wish:
        return Wish(
            style_id=self.style,
            project_id=self.project,
            tier=Tier(self.tier),
            words=self.prompt,
        )


async def render(commission: Commission, out: Path | None) -> None:
    """Have the picture made, write it down, and tell what it took."""
    async with at_work(command_settings()) as resources, embedded(resources):
        customer = Customer(resources, commission.user)
        before = await customer.come_in()
        with watching() as watch:
            photo = await customer.bring(commission.photo.read_bytes())
            job = await customer.order(photo, commission.wish)
            delivered = await customer.collect(job, watch)
        after = await customer.come_in()
    path = written(delivered, out or _beside(commission, delivered))
    report(delivered, path, before=before, after=after)


@contextmanager
def watching() -> Iterator[Watch]:
    """Show a render's state and progress, on standard error and only to a person."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        shown = progress.add_task("uploading", total=None)

        def watch(job: RenderJob | JobRow) -> None:
            known = job.progress > 0  # a provider that tells nothing gets a bar that only moves
            progress.update(
                shown,
                description=f"{job.state} at {job.provider}",
                total=100 if known else None,
                completed=job.progress,
            )

        yield watch


def written(delivered: Delivered, path: Path) -> Path:
    """Write the picture to a file and return its absolute path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(delivered.data)
    return path.resolve()


def report(delivered: Delivered, path: Path, *, before: int, after: int) -> None:
    """Tell who made the picture, how, for how much, and where it lies."""
    job = delivered.job
    seconds = (job.updated_at - job.created_at).total_seconds()
    typer.echo(
        f"✓ {job.style_id} {job.tier} by {job.provider} ({job.provider_model}), {seconds:.1f} s"
    )
    for note in job.notes:
        typer.echo(f"  {note}")
    typer.echo(f"  credits {before} → {after}")
    typer.echo(f"  {path}")


def _beside(commission: Commission, delivered: Delivered) -> Path:
    ending = EXTENSIONS[delivered.picture.content_type]
    return Path(f"{commission.photo.stem}-{commission.style}.{ending}")
