"""From the sums of a whole phase to a verdict on each challenger. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from medici.domain.assignments.models import AnalysisMode, Experiment
from medici.domain.experiments.analysis.comparing import compare, value_of
from medici.domain.experiments.analysis.sums import NO_SUMS, Sums
from medici.domain.experiments.decisions import Standing
from medici.domain.experiments.metrics.keys import Metric
from medici.domain.experiments.stats.group_sequential import group_sequential
from medici.domain.experiments.stats.holm import holm
from medici.domain.experiments.stats.sequential import sequential
from medici.domain.experiments.stats.srm import srm
from medici.domain.experiments.stats.values import AlwaysValid, Comparison
from medici.domain.experiments.variables import ExperimentPolicy

BySums: TypeAlias = Mapping[str, Sums]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a challenger stands. ``adjusted_p_value`` is the one that decides, after Holm."""

    always_valid: AlwaysValid
    adjusted_p_value: float | None
    is_significant: bool
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Whether users were divided by the weights; both maps have each variant."""

    p_value: float
    sequential_p_value: float
    detected: bool
    observed: Mapping[str, int]
    expected: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Everybody of a phase: their sums, and the verdict on each challenger."""

    metric: Metric
    sums: BySums
    verdicts: Mapping[str, Verdict]
    split: Split
    minimum: int  # users that a variant needs

    @property
    def users(self) -> int:
        return sum(each.n for each in self.sums.values())

    def has_enough(self, variant_id: str) -> bool:
        return self.sums[variant_id].n >= self.minimum


def variant_ids(experiment: Experiment) -> list[str]:
    return [str(each["variant_id"]) for each in experiment.variants]


def challengers(experiment: Experiment) -> list[str]:
    return [each for each in variant_ids(experiment) if each != experiment.control_variant_id]


def judge(
    experiment: Experiment,
    metric: Metric,
    sums: BySums,
    enrolled: Mapping[str, int],
    policy: ExperimentPolicy,
) -> Judged:
    """Judge each challenger by what the experiment's mode of analysis acts on."""
    known = {each: sums.get(each, NO_SUMS) for each in variant_ids(experiment)}
    judging = _Judging(experiment, metric, known, policy)
    rivals = challengers(experiment)
    compared = [judging.comparison(each) for each in rivals]
    adjusted = holm([judging.acted_on(*pair) for pair in zip(rivals, compared, strict=True)])
    verdicts = {
        each: judging.verdict(each, comparison, p_value)
        for each, comparison, p_value in zip(rivals, compared, adjusted, strict=True)
    }
    return Judged(
        metric=metric,
        sums=known,
        verdicts=verdicts,
        split=_split(experiment, enrolled),
        minimum=policy.minimum_sample_size,
    )


def is_awaiting_plan(experiment: Experiment, users: int) -> bool:
    """Tell whether a fixed analysis has not reached the users that it was planned for."""
    planned = experiment.planned_sample_size
    return (
        experiment.analysis_mode is AnalysisMode.FIXED and planned is not None and users < planned
    )


class _Judging:
    """An experiment while its challengers are looked at one by one."""

    def __init__(
        self, experiment: Experiment, metric: Metric, sums: BySums, policy: ExperimentPolicy
    ) -> None:
        self._experiment, self._metric, self._sums = experiment, metric, sums
        self._alpha = policy.alpha
        self._tuning_n = experiment.sequential_tuning_n or policy.tuning_n
        self._control = sums.get(experiment.control_variant_id, NO_SUMS)

    def comparison(self, variant_id: str) -> Comparison:
        return compare(self._metric, self._control, self._sums[variant_id], self._alpha)

    def acted_on(self, variant_id: str, compared: Comparison) -> float | None:
        """Return the p-value that the mode acts on now."""
        mode, planned = self._experiment.analysis_mode, self._experiment.planned_sample_size
        if mode is AnalysisMode.FIXED:
            users = sum(each.n for each in self._sums.values())
            waits = is_awaiting_plan(self._experiment, users)
            return None if waits else compared.p_value
        if mode is AnalysisMode.GROUP_SEQUENTIAL and planned is not None:
            of_both = round(planned * self._share_of_both(variant_id)) or 1
            n = self._users_of_both(variant_id)
            return group_sequential(compared.diff, compared.se, n, of_both, self._alpha).p_value
        return self._always_valid(variant_id, compared).p_value

    def verdict(self, variant_id: str, compared: Comparison, adjusted: float | None) -> Verdict:
        significant = adjusted is not None and adjusted < self._alpha
        return Verdict(
            always_valid=self._always_valid(variant_id, compared),
            adjusted_p_value=adjusted,
            is_significant=significant,
            standing=self._standing(variant_id) if significant else Standing.OPEN,
        )

    def _standing(self, variant_id: str) -> Standing:
        ours = value_of(self._metric, self._sums[variant_id])
        theirs = value_of(self._metric, self._control)
        if ours is None or theirs is None or ours == theirs:
            return Standing.OPEN
        return Standing.BETTER if self._metric.is_better(ours, theirs) else Standing.WORSE

    def _always_valid(self, variant_id: str, compared: Comparison) -> AlwaysValid:
        n = self._users_of_both(variant_id)
        return sequential(compared.diff, compared.se, n, self._alpha, self._tuning_n)

    def _users_of_both(self, variant_id: str) -> int:
        return self._control.n + self._sums[variant_id].n

    def _share_of_both(self, variant_id: str) -> float:
        weights = _weights(self._experiment)
        both = weights[self._experiment.control_variant_id] + weights[variant_id]
        return both / sum(weights.values())


def _split(experiment: Experiment, enrolled: Mapping[str, int]) -> Split:
    weights = _weights(experiment)
    observed = {each: enrolled.get(each, 0) for each in weights}
    found = srm(list(observed.values()), list(weights.values()))
    return Split(
        p_value=found.p_value,
        sequential_p_value=found.sequential_p_value,
        detected=found.detected,
        observed=observed,
        expected=dict(zip(weights, found.expected, strict=True)),
    )


def _weights(experiment: Experiment) -> dict[str, float]:
    return {str(each["variant_id"]): float(each["weight"]) for each in experiment.variants}
