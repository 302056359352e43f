"""What the whole of a phase says so far: the short way, for whoever acts on it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Experiment
from medici.domain.experiments.analysis.comparing import deviation_of, value_of
from medici.domain.experiments.analysis.errors import Unfit, UnfitSize
from medici.domain.experiments.analysis.judging import judge
from medici.domain.experiments.analysis.people import Wanted
from medici.domain.experiments.analysis.power import Baseline
from medici.domain.experiments.analysis.queries import enrolled, sums
from medici.domain.experiments.analysis.recommending import recommend
from medici.domain.experiments.analysis.sums import NO_SUMS
from medici.domain.experiments.decisions import Decided
from medici.domain.experiments.metrics.keys import parse_metric
from medici.domain.experiments.variables import ExperimentPolicy


async def decided(
    session: AsyncSession, experiment: Experiment, *, policy: ExperimentPolicy, now: datetime
) -> Decided:
    """Decide by the primary metric alone, over everybody of the phase.

    Raises:
        UnknownPrimaryMetric: the experiment names none.
    """
    metric = parse_metric(experiment.primary_metric)
    found = await sums(session, Wanted(experiment=experiment, primary=metric))
    people = await enrolled(session, experiment, now)
    counts = {each: counted.users for each, counted in people.items()}
    judged = judge(experiment, metric, found, counts, policy)
    return Decided(
        recommendation=recommend(experiment, judged, policy=policy, now=now),
        standings={each: verdict.standing for each, verdict in judged.verdicts.items()},
        users=judged.users,
        srm_detected=judged.split.detected,
    )


async def measured_baseline(session: AsyncSession, experiment: Experiment) -> Baseline:
    """Return what control has come to in this phase.

    Raises:
        UnfitSize: that is nothing yet, or the metric is not tested.
        UnknownPrimaryMetric: the experiment names none.
    """
    metric = parse_metric(experiment.primary_metric)
    if not metric.is_tested:
        raise UnfitSize(Unfit.NOT_TESTED, f"{metric.key} is described and never tested")
    found = await sums(session, Wanted(experiment=experiment, primary=metric))
    control = found.get(experiment.control_variant_id, NO_SUMS)
    value = value_of(metric, control)
    if not value or control.n < 2:
        raise UnfitSize(Unfit.NOT_MEASURED, "control has come to nothing yet")
    return Baseline(value=value, deviation=deviation_of(metric, control), unit=metric.unit)
