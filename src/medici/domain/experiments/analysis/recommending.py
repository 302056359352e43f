"""From verdicts to a recommendation, with its reason for people. Pure."""

from collections.abc import Iterator
from datetime import datetime

from medici.domain.assignments.models import AnalysisMode, Experiment
from medici.domain.experiments.analysis.comparing import users_needed, value_of
from medici.domain.experiments.analysis.judging import Judged, is_awaiting_plan
from medici.domain.experiments.decisions import Recommendation, RecommendationCode, Standing
from medici.domain.experiments.metrics.keys import Good
from medici.domain.experiments.variables import ExperimentPolicy

UNPLANNED = "; no sample size was planned, so looking often finds differences that are not there"


def recommend(
    experiment: Experiment, judged: Judged, *, policy: ExperimentPolicy, now: datetime
) -> Recommendation:
    """Return what to do: the first that applies, in the order of ``RecommendationCode``."""
    return next(_applying(experiment, judged, policy, now))


def _applying(
    experiment: Experiment, judged: Judged, policy: ExperimentPolicy, now: datetime
) -> Iterator[Recommendation]:
    if _is_small(experiment, judged):
        yield _small(experiment, judged, policy)
    started_at = experiment.phase_started_at
    if started_at is None or now - started_at < policy.runtime_at_least:
        yield _hold(RecommendationCode.MIN_RUNTIME_NOT_REACHED, "it has not run long enough")
    if judged.split.detected:
        yield _hold(
            RecommendationCode.SRM_DETECTED,
            "users are not split as the weights say, so nothing that is measured can be trusted",
        )
    standings = {each: verdict.standing for each, verdict in judged.verdicts.items()}
    if standings and all(each is Standing.WORSE for each in standings.values()):
        yield Recommendation(
            code=RecommendationCode.CONTROL_IS_WINNER,
            variant_id=experiment.control_variant_id,
            reason="every challenger is significantly worse than control" + _warning(experiment),
        )
    if better := [each for each, standing in standings.items() if standing is Standing.BETTER]:
        best = _best(judged, better)
        yield Recommendation(
            code=RecommendationCode.WINNER,
            variant_id=best,
            reason=f"{best} is significantly better than control" + _warning(experiment),
        )
    yield _hold(RecommendationCode.NO_SIGNIFICANT_DIFFERENCE, _why_open(experiment, judged))


def _is_small(experiment: Experiment, judged: Judged) -> bool:
    if not judged.has_enough(experiment.control_variant_id):
        return True
    return bool(judged.verdicts) and not any(map(judged.has_enough, judged.verdicts))


def _small(experiment: Experiment, judged: Judged, policy: ExperimentPolicy) -> Recommendation:
    control = judged.sums[experiment.control_variant_id]
    needed = users_needed(judged.metric, control, policy.mde, policy.alpha)
    return Recommendation(
        code=RecommendationCode.INSUFFICIENT_SAMPLE,
        variant_id=None,
        reason=f"each variant needs {judged.minimum} users at least",
        required_sample_per_variant=needed,
    )


def _best(judged: Judged, better: list[str]) -> str:
    def value(variant_id: str) -> float:
        return value_of(judged.metric, judged.sums[variant_id]) or 0.0

    choose = max if judged.metric.good is Good.HIGHER else min
    return choose(better, key=value)


def _why_open(experiment: Experiment, judged: Judged) -> str:
    if not judged.verdicts:
        return "there is one variant, so nothing is compared"
    if not judged.metric.is_tested:
        return "this metric is described and never tested"
    if is_awaiting_plan(experiment, judged.users):
        return f"the planned {experiment.planned_sample_size} users are not reached"
    return "no challenger differs significantly from control"


def _hold(code: RecommendationCode, reason: str) -> Recommendation:
    return Recommendation(code=code, variant_id=None, reason=reason)


def _warning(experiment: Experiment) -> str:
    unplanned = experiment.planned_sample_size is None
    return UNPLANNED if unplanned and experiment.analysis_mode is AnalysisMode.FIXED else ""
