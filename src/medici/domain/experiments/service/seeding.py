"""Setting the templates up, each inactive, where there is no experiment of that name yet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Experiment
from medici.domain.experiments.audit import Act
from medici.domain.experiments.errors import RevisionConflict
from medici.domain.experiments.service.setting_up import put
from medici.domain.experiments.templates import TEMPLATES, Template, fitting
from medici.domain.routing.queries import published


class Outcome(StrEnum):
    CREATED = "created"
    KEPT = "kept"  # there is an experiment of that name, archived perhaps


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What became, or would become, of one template."""

    template_id: str
    outcome: Outcome


async def seed_templates(
    session: AsyncSession, *, act: Act, registered: Collection[str]
) -> Sequence[Seeded]:
    """Set up what is missing; nothing that is there is touched.

    ``registered`` names the providers that may be enabled here.
    """
    settings = (await published(session)).settings
    return [
        Seeded(
            template_id=each.template_id,
            outcome=await _seed(session, each, act=act, registered=registered),
        )
        for each in fitting(settings, registered)
    ]


async def rehearse(session: AsyncSession) -> Sequence[Seeded]:
    """Tell what ``seed_templates`` would do now."""
    ids = [each.template_id for each in TEMPLATES]
    wanted = select(Experiment.experiment_id).where(Experiment.experiment_id.in_(ids))
    known = set(await session.scalars(wanted))
    return [
        Seeded(template_id=each, outcome=Outcome.KEPT if each in known else Outcome.CREATED)
        for each in ids
    ]


async def _seed(
    session: AsyncSession, template: Template, *, act: Act, registered: Collection[str]
) -> Outcome:
    try:
        await put(
            session,
            template.template_id,
            template.set_up,
            act=act,
            registered=registered,
            revision=0,  # there must be none yet
        )
    except RevisionConflict:
        return Outcome.KEPT
    return Outcome.CREATED
