"""Whether an order is admitted, and as what. No database, no clock."""

from dataclasses import dataclass

from medici.adapters.providers.request import Tier
from medici.domain.billing.service.allowances import give_on_book
from medici.domain.ledger import decisions
from medici.domain.ledger.decisions import NewHold
from medici.domain.ledger.errors import InsufficientCredits
from medici.domain.ledger.values import Memo, Reference
from medici.domain.pictures.errors import PictureNotFound
from medici.domain.plans.variables import (
    MAX_JOBS_IN_FLIGHT_PER_USER,
    PREVIEW_BEFORE_FINAL_REQUIRED,
)
from medici.domain.rendering import rules
from medici.domain.rendering.errors import CreditsMissing, PreviewRequired, TooManyJobsInFlight
from medici.domain.rendering.orders import Application, RenderOrder
from medici.domain.rendering.rows import JobRow
from medici.domain.rendering.service.admission.standing import Standing
from medici.domain.routing.errors import NoCandidate
from medici.domain.routing.rules import Candidate, candidate_chain
from medici.domain.routing.settings import ProviderSettings
from medici.domain.routing.treatment import Treatment


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What an order goes by: settings of a version, perhaps as an experiment changes them."""

    version: int
    settings: ProviderSettings
    treatment: Treatment | None = None


def decide(standing: Standing, application: Application) -> JobRow:
    """Admit one order of a batch; a refusal leaves the user's standing as it was.

    Raises:
        PictureNotFound: an upload that is not the user's, or no more.
        RenderRefused: too many in flight, a preview is missing, or credits are.
        NoCandidate: the published settings leave no provider for this.
    """
    user_id, order = application.user_id, application.order
    _give_allowance(standing, user_id)
    _check_uploads(standing, user_id, order)
    _check_in_flight(standing, user_id)
    basis = _basis(standing, application)
    _check_preview(standing, user_id, order, basis.settings)
    candidates = _candidates(standing, application, basis.settings)
    price = _price(standing, user_id, order.tier)
    hold = _held(standing, application, price) if price else None
    standing.in_flight[user_id] += 1
    standing.used.update(order.picture_ids)
    return _queued(standing, application, basis, candidates, hold)


def _basis(standing: Standing, application: Application) -> Basis:
    """Return what holds for an order; a treatment that leaves no provider is none."""
    held = standing.common.published.of_user(application.user_id)
    treatment = standing.treatments.get(application.user_id)
    settings = treatment.over(held.settings) if treatment else None
    if settings is not None:
        try:
            _candidates(standing, application, settings)
        except NoCandidate:
            pass
        else:
            return Basis(version=held.version, settings=settings, treatment=treatment)
    return Basis(version=held.version, settings=held.settings)


def _candidates(
    standing: Standing, application: Application, settings: ProviderSettings
) -> tuple[Candidate, ...]:
    order = application.order
    return candidate_chain(
        settings,
        operation=order.operation,
        tier=order.tier,
        parts=order.target_parts,
        registered=application.registered,
        seed=application.job_id.bytes,
        outlook=standing.common.outlook,
    )


def _give_allowance(standing: Standing, user_id: str) -> None:
    common, plan = standing.common, standing.plans[user_id]
    if not common.schedule.enabled or plan.daily_credits == 0:
        return
    book = standing.books[user_id]
    give_on_book(book, standing.allowances[book.wallet_id], plan, common.window)


def _check_uploads(standing: Standing, user_id: str, order: RenderOrder) -> None:
    """Refuse uploads that are not the user's, or no more; nobody can tell which."""
    for picture_id in order.picture_ids:
        upload = standing.uploads.get(picture_id)
        if upload is None or upload.owner_id != user_id:
            raise PictureNotFound
        if upload.expires_at is not None and upload.expires_at <= standing.now:
            raise PictureNotFound


def _check_in_flight(standing: Standing, user_id: str) -> None:
    most = standing.common.variables[MAX_JOBS_IN_FLIGHT_PER_USER]
    if standing.in_flight[user_id] >= most:
        raise TooManyJobsInFlight(f"at most {most} renders may be in progress at once")


def _check_preview(
    standing: Standing, user_id: str, order: RenderOrder, settings: ProviderSettings
) -> None:
    wanted = (
        order.tier is Tier.FINAL
        and standing.common.variables[PREVIEW_BEFORE_FINAL_REQUIRED]
        and settings.cost_controls.preview_required_before_final
    )
    if wanted and (user_id, order.project_id, order.style_id) not in standing.previews:
        raise PreviewRequired("render a preview of this project in this style first")


def _held(standing: Standing, application: Application, price: int) -> NewHold:
    """Set the job's price aside.

    Raises:
        CreditsMissing: the wallet does not cover it.
    """
    try:
        held = decisions.hold(
            standing.books[application.user_id],
            price,
            Reference(kind="render_job", id=str(application.job_id)),
            standing.now + rules.HOLD_LIFETIME,
            Memo(
                actor=f"user:{application.user_id}",
                reason=f"render_{application.order.tier}",
            ),
        )
    except InsufficientCredits as missing:
        raise CreditsMissing(str(missing)) from missing
    standing.holds.append(held)
    return held


def _price(standing: Standing, user_id: str, tier: Tier) -> int:
    """Return the price in credits; 0 while credits are switched off."""
    if not standing.common.charges:
        return 0
    plan = standing.plans[user_id]
    return plan.final_cost_credits if tier is Tier.FINAL else plan.preview_cost_credits


def _prompt(standing: Standing, order: RenderOrder) -> str:
    style_words = standing.common.styles.get(order.style_id, order.style_id.replace("_", " "))
    return rules.compose_prompt(style_words, order.operation, order.target_parts, order.wishes)


def _queued(
    standing: Standing,
    application: Application,
    basis: Basis,
    candidates: tuple[Candidate, ...],
    hold: NewHold | None,
) -> JobRow:
    order, treatment = application.order, basis.treatment
    return JobRow(
        id=application.job_id,
        user_id=application.user_id,
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
        prompt=_prompt(standing, order),
        wishes=list(order.wishes),
        max_pixels=rules.output_pixels(order.tier, basis.settings.cost_controls.max_output_pixels),
        plan_id=standing.plans[application.user_id].plan_id,
        credits=hold.amount if hold else 0,
        hold_id=hold.id if hold else None,
        settings_version=basis.version,
        experiment_id=treatment.experiment_id if treatment else None,
        variant_id=treatment.variant_id if treatment else None,
        candidates=[[candidate.provider, candidate.model] for candidate in candidates],
        provider=candidates[0].provider,
        provider_model=candidates[0].model,
        created_at=standing.now,
        updated_at=standing.now,
    )
