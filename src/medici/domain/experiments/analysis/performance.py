"""How an experiment does: every variant described and judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import AnalysisMode, Experiment
from medici.domain.experiments.analysis.figures import VariantFigure, variant_figure
from medici.domain.experiments.analysis.judging import Judged, Split, judge, variant_ids
from medici.domain.experiments.analysis.past import adjusted, with_past
from medici.domain.experiments.analysis.people import Wanted
from medici.domain.experiments.analysis.percentile import p95_in_span, p95_latencies
from medici.domain.experiments.analysis.queries import (
    NOTHING,
    Enrolled,
    Told,
    described,
    enrolled,
)
from medici.domain.experiments.analysis.recommending import recommend
from medici.domain.experiments.analysis.sums import DESCRIBED
from medici.domain.experiments.decisions import RecommendationCode
from medici.domain.experiments.metrics.keys import Metric, MetricKind, parse_metric
from medici.domain.experiments.stats.values import CupedSample
from medici.domain.experiments.variables import ExperimentPolicy

HOUR = timedelta(hours=1)
MANY = 0.01  # of users who saw several variants, that are worth a warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Rates and lifts are percentages, p-values fractions.

    Variants are described by their users of the last ``window_hours``; what decides is told of
    everybody since ``phase_started_at``.
    """

    experiment_id: str
    name: str
    primary_metric: str
    generated_at: datetime
    window_hours: int
    control_variant_id: str
    significance_alpha: float
    minimum_sample_size: int
    total_assigned_users: int
    recommended_variant_id: str | None
    recommendation_reason: str
    variants: Sequence[VariantFigure]
    analysis_mode: AnalysisMode
    phase: int
    phase_started_at: datetime | None
    decision_window_hours: int
    srm: Split
    multiple_exposure_users: int
    already_paid_excluded: int
    recommendation_code: RecommendationCode
    required_sample_per_variant: int | None
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the database told of an experiment."""

    metric: Metric
    told: Mapping[str, Told]
    enrolled: Mapping[str, Enrolled]
    p95: Mapping[str, float]
    p95_in_span: Mapping[str, float]
    past: Mapping[str, CupedSample]


async def performance(
    session: AsyncSession,
    experiment: Experiment,
    *,
    policy: ExperimentPolicy,
    hours: int,
    now: datetime,
) -> Performance:
    """Describe and judge an experiment.

    Raises:
        UnknownPrimaryMetric: the experiment names none.
    """
    seen = await _look(session, experiment, now - timedelta(hours=hours))
    counts = {each: counted.users for each, counted in seen.enrolled.items()}
    everybody = {each: told.everybody for each, told in seen.told.items()}
    judged = judge(experiment, seen.metric, everybody, counts, policy)
    recommended = recommend(experiment, judged, policy=policy, now=now)
    figures = _figures(experiment, seen, judged, policy.alpha)
    several = sum(each.multiply_exposed for each in seen.enrolled.values())
    return Performance(
        experiment_id=experiment.experiment_id,
        name=experiment.name,
        primary_metric=experiment.primary_metric,
        generated_at=now,
        window_hours=hours,
        control_variant_id=experiment.control_variant_id,
        significance_alpha=policy.alpha,
        minimum_sample_size=policy.minimum_sample_size,
        total_assigned_users=sum(figure.assigned_users for figure in figures),
        recommended_variant_id=recommended.variant_id,
        recommendation_reason=recommended.reason,
        variants=figures,
        analysis_mode=experiment.analysis_mode,
        phase=experiment.phase,
        phase_started_at=experiment.phase_started_at,
        decision_window_hours=_hours_since(experiment.phase_started_at, now),
        srm=judged.split,
        multiple_exposure_users=several,
        already_paid_excluded=sum(each.described.already_paid for each in seen.told.values()),
        recommendation_code=recommended.code,
        required_sample_per_variant=recommended.required_sample_per_variant,
        warnings=[*policy.warnings, *_warnings(several, sum(counts.values()))],
    )


def as_json(performance: Performance) -> dict[str, object]:
    """Return a performance as it is stored and sent."""
    found: dict[str, object] = WIRE.dump_python(performance, mode="json")
    return found


WIRE = TypeAdapter(Performance)


async def _look(session: AsyncSession, experiment: Experiment, since: datetime) -> _Seen:
    metric = parse_metric(experiment.primary_metric)
    wanted = Wanted(experiment=experiment, primary=metric, described=DESCRIBED, recent_since=since)
    told = await described(session, wanted)
    timed = {variant_id: each.described.timed for variant_id, each in told.items()}
    p95 = await p95_latencies(session, wanted, timed)
    narrower = metric.kind is MetricKind.DESCRIPTIVE and metric.span is not None
    return _Seen(
        metric=metric,
        told=told,
        enrolled=await enrolled(session, experiment, since),
        p95=p95,
        p95_in_span=await p95_in_span(session, wanted) if narrower else p95,
        past=await with_past(session, wanted),
    )


def _figures(
    experiment: Experiment, seen: _Seen, judged: Judged, alpha: float
) -> list[VariantFigure]:
    """Shape the variants that are configured, and those only."""
    control = seen.told.get(experiment.control_variant_id, NOTHING)
    return [
        variant_figure(
            variant_id,
            seen.told.get(variant_id, NOTHING),
            control,
            judged,
            assigned=seen.enrolled.get(variant_id, Enrolled()).recent,
            p95=seen.p95.get(variant_id),
            p95_in_span=seen.p95_in_span.get(variant_id),
            cuped=adjusted(
                seen.metric,
                seen.past,
                control=experiment.control_variant_id,
                variant_id=variant_id,
                alpha=alpha,
            ),
            alpha=alpha,
        )
        for variant_id in variant_ids(experiment)
    ]


def _warnings(several: int, everybody: int) -> list[str]:
    if several <= MANY * everybody:
        return []
    return [f"{several} of {everybody} users saw several variants and are left out"]


def _hours_since(moment: datetime | None, now: datetime) -> int:
    return ceil((now - moment) / HOUR) if moment else 0
