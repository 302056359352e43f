"""Admission: the price is held, the route chosen and the work queued in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.billing import queries as billing
from medici.domain.billing.queries import EffectivePlan
from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.events import service as events
from medici.domain.events.facts import EventName, Fact
from medici.domain.identity.owner import Owner
from medici.domain.pictures import queries as pictures
from medici.domain.pictures.models import Picture
from medici.domain.pictures.service import use_picture
from medici.domain.plans import queries as plans
from medici.domain.plans.variables import (
    DAILY_CREDIT_LIMIT_ENABLED,
    MAX_JOBS_IN_FLIGHT_PER_USER,
    PREVIEW_BEFORE_FINAL_REQUIRED,
    Variables,
)
from medici.domain.rendering import queries, rules
from medici.domain.rendering.errors import PreviewRequired, TooManyJobsInFlight
from medici.domain.rendering.models import RenderJob, RenderState
from medici.domain.rendering.service.dispatching import enqueue_dispatch
from medici.domain.rendering.service.price import hold_price
from medici.domain.routing import queries as routing
from medici.domain.routing.queries import PublishedSettings
from medici.domain.routing.rules import Candidate, candidate_chain
from medici.kernel.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSource:
    """The customer's picture: one of our own uploads by id, or an outside address."""

    url: str
    picture_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOrder:
    """What a customer asks for. ``wishes`` are free words that go into the prompt."""

    project_id: str
    style_id: str
    operation: Operation
    image: ImageSource
    tier: Tier = Tier.PREVIEW
    target_parts: tuple[Part, ...] = (Part.FULL_ROOM,)
    mask: ImageSource | None = None
    wishes: tuple[str, ...] = ()
    platform: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for a user's order at this moment."""

    variables: Variables
    published: PublishedSettings
    plan: EffectivePlan


async def submit(
    session: AsyncSession,
    *,
    user_id: str,
    order: RenderOrder,
    registered: frozenset[str],
    now: datetime,
) -> RenderJob:
    """Admit a render: hold its price and queue it. Nothing outside is called.

    ``registered`` names the providers that can be reached and can do this.

    Raises:
        PictureNotFound: an upload that is not the user's, or no more.
        RenderRefused: too many in flight, a preview is missing, or credits are.
        NoCandidate: the published settings leave no provider for this.
    """
    # One order of a user at a time, or two would both take the last place.
    await queries.lock_user(session, user_id)
    await ensure_allowance(session, owner=Owner.user(user_id), now=now)
    terms = await _terms(session, user_id, now)
    uploads = await _own_uploads(session, user_id, order, now)
    await _check_in_flight(session, user_id, terms.variables)
    await _check_preview(session, user_id, order, terms)
    candidates = candidate_chain(
        terms.published.settings,
        operation=order.operation,
        tier=order.tier,
        parts=order.target_parts,
        registered=registered,
    )
    prompt = await _prompt(session, order)

    job = _drawn_up(order, terms, candidates, user_id=user_id, prompt=prompt, now=now)
    await hold_price(session, job, now=now)
    for upload in uploads:
        use_picture(upload)
    session.add(job)
    await session.flush()
    await enqueue_dispatch(session, job.id, now=now)
    await events.record(session, _dispatched(job), now=now)
    return job


async def _terms(session: AsyncSession, user_id: str, now: datetime) -> Terms:
    return Terms(
        variables=await plans.load_variables(session),
        published=await routing.published(session),
        plan=await billing.effective_plan(session, owner=Owner.user(user_id), now=now),
    )


async def _own_uploads(
    session: AsyncSession, user_id: str, order: RenderOrder, now: datetime
) -> list[Picture]:
    """Return the uploads that the order names, all of them the user's."""
    named = [source.picture_id for source in (order.image, order.mask) if source is not None]
    return [
        await pictures.locked_picture(session, picture_id, Owner.user(user_id), now=now)
        for picture_id in named
        if picture_id is not None
    ]


async def _check_in_flight(session: AsyncSession, user_id: str, variables: Variables) -> None:
    most = variables[MAX_JOBS_IN_FLIGHT_PER_USER]
    if await queries.in_flight_count(session, user_id) >= most:
        raise TooManyJobsInFlight(f"at most {most} renders may be in progress at once")


async def _check_preview(
    session: AsyncSession, user_id: str, order: RenderOrder, terms: Terms
) -> None:
    wanted = (
        order.tier is Tier.FINAL
        and terms.variables[PREVIEW_BEFORE_FINAL_REQUIRED]
        and terms.published.settings.cost_controls.preview_required_before_final
    )
    if wanted and not await queries.has_completed_preview(
        session, user_id=user_id, project_id=order.project_id, style_id=order.style_id
    ):
        raise PreviewRequired("render a preview of this project in this style first")


async def _prompt(session: AsyncSession, order: RenderOrder) -> str:
    style = await plans.style_by_id(session, order.style_id)
    style_words = style.prompt if style else order.style_id.replace("_", " ")
    return rules.compose_prompt(style_words, order.operation, order.target_parts, order.wishes)


def _price(tier: Tier, terms: Terms) -> int:
    """Return the price in credits; 0 while credits are switched off."""
    if not terms.variables[DAILY_CREDIT_LIMIT_ENABLED]:
        return 0
    plan = terms.plan
    return plan.final_cost_credits if tier is Tier.FINAL else plan.preview_cost_credits


def _drawn_up(
    order: RenderOrder,
    terms: Terms,
    candidates: tuple[Candidate, ...],
    *,
    user_id: str,
    prompt: str,
    now: datetime,
) -> RenderJob:
    return RenderJob(
        id=new_id(),
        user_id=user_id,
        platform=order.platform,
        project_id=order.project_id,
        style_id=order.style_id,
        operation=order.operation,
        tier=order.tier,
        target_parts=[part.value for part in order.target_parts],
        image_url=order.image.url,
        image_id=order.image.picture_id,
        mask_url=order.mask.url if order.mask else None,
        mask_id=order.mask.picture_id if order.mask else None,
        prompt=prompt,
        wishes=list(order.wishes),
        max_pixels=rules.output_pixels(
            order.tier, terms.published.settings.cost_controls.max_output_pixels
        ),
        plan_id=terms.plan.plan_id,
        credits=_price(order.tier, terms),
        settings_version=terms.published.version,
        candidates=[[candidate.provider, candidate.model] for candidate in candidates],
        position=0,
        retries=0,
        state=RenderState.QUEUED,
        provider=candidates[0].provider,
        provider_model=candidates[0].model,
        progress=0,
        notes=[],
        estimated_cost_micros=0,
        created_at=now,
        updated_at=now,
    )


def _dispatched(job: RenderJob) -> Fact:
    return Fact(
        name=EventName.RENDER_DISPATCHED,
        user_id=job.user_id,
        platform=job.platform,
        provider=job.provider,
        model=job.provider_model,
        operation=job.operation,
        tier=job.tier,
        status="queued",
        credits=job.credits,
        plan_id=job.plan_id,
        project_id=job.project_id,
        style_id=job.style_id,
        render_job_id=job.id,
    )
