"""The running experiments in the figures of the dashboard."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics.rates import Rate
from medici.domain.analytics.spans import Window
from medici.domain.assignments.models import Experiment
from medici.domain.experiments.analysis.comparing import compare
from medici.domain.experiments.analysis.glance import Glimpse, glimpses, running
from medici.domain.experiments.analysis.judging import variant_ids
from medici.domain.experiments.metrics.keys import PAID, parse_metric
from medici.domain.experiments.variables import experiment_policy
from medici.domain.insights.dashboard import ExperimentFigure, VariantShare

CONVERSION = parse_metric(PAID)
UNSEEN = Glimpse()


async def experiment_figures(session: AsyncSession, window: Window) -> Sequence[ExperimentFigure]:
    """Tell how many users of each variant began to pay, whatever the experiment's own metric."""
    experiments = await running(session)
    if not experiments:
        return ()
    seen = await glimpses(session, window.since)
    alpha = (await experiment_policy(session)).alpha
    return [_figure(each, seen, alpha) for each in experiments]


def _figure(
    experiment: Experiment, seen: Mapping[tuple[str, str], Glimpse], alpha: float
) -> ExperimentFigure:
    variants = {
        each: seen.get((experiment.experiment_id, each), UNSEEN) for each in variant_ids(experiment)
    }
    control_id = experiment.control_variant_id
    paying = sum(round(each.paying.num) for each in variants.values())
    compared = sum(each.paying.n for each in variants.values())
    return ExperimentFigure(
        id=experiment.experiment_id,
        experiment_id=experiment.experiment_id,
        name=experiment.name,
        primary_metric=experiment.primary_metric,
        is_active=experiment.is_active,
        total_assigned_users=sum(each.assigned for each in variants.values()),
        active_paid_users=paying,
        paid_conversion_rate=Rate(numerator=paying, denominator=compared).percent or 0.0,
        variants=[
            _share(
                variant_id,
                each,
                None if variant_id == control_id else variants[control_id],
                alpha,
            )
            for variant_id, each in variants.items()
        ],
    )


def _share(variant_id: str, seen: Glimpse, control: Glimpse | None, alpha: float) -> VariantShare:
    converted = round(seen.paying.num)
    rate = Rate(numerator=converted, denominator=seen.paying.n)
    found = compare(CONVERSION, control.paying, seen.paying, alpha) if control else None
    lift = found.lift if found else None
    return VariantShare(
        variant_id=variant_id,
        assigned_users=seen.assigned,
        active_paid_users=converted,
        paid_conversion_rate=rate.percent or 0.0,
        id=variant_id,
        assigned=seen.assigned,
        converted=converted,
        rate=rate.percent or 0.0,
        ci=rate.interval,
        lift=None if lift is None else round(100 * lift, 2),
        p_value=found.p_value if found else None,
    )
