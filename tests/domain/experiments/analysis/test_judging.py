"""From sums to verdicts and recommendations, for every mode of analysis."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from medici.domain.assignments.models import (
    AnalysisMode,
    Experiment,
    ExperimentStatus,
    ExposureMode,
)
from medici.domain.experiments.analysis.comparing import compare, users_needed, value_of
from medici.domain.experiments.analysis.judging import Judged, judge
from medici.domain.experiments.analysis.recommending import recommend
from medici.domain.experiments.analysis.sums import Sums
from medici.domain.experiments.decisions import Recommendation, RecommendationCode, Standing
from medici.domain.experiments.metrics.keys import parse_metric
from medici.domain.experiments.variables import ExperimentPolicy
from tests.domain.experiments.analysis.lab import NOW, POLICY, STARTED, variants

Code = RecommendationCode
CONVERSION = parse_metric("conversion")
COST = parse_metric("avg_cost_usd")


def paywall(*ids: str, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "experiment_id": "paywall",
        "name": "Paywall timing",
        "status": ExperimentStatus.RUNNING,
        "primary_metric": "conversion",
        "control_variant_id": "control",
        "exposure_mode": ExposureMode.ASSIGNMENT,
        "analysis_mode": AnalysisMode.SEQUENTIAL,
        "planned_sample_size": None,
        "sequential_tuning_n": 2000,
        "variants": variants("control", *(ids or ("after",))),
        "phase": 1,
        "phase_started_at": STARTED,
    }
    return Experiment(**values | changes)


def share(x: int, n: int) -> Sums:
    return Sums(n=n, num=x, num_sq=x)


def judged(
    experiment: Experiment, policy: ExperimentPolicy = POLICY, **sums: Sums
) -> tuple[Judged, Recommendation]:
    users = {variant_id: each.n for variant_id, each in sums.items()}
    metric = parse_metric(experiment.primary_metric)
    found = judge(experiment, metric, sums, users, policy)
    return found, recommend(experiment, found, policy=policy, now=NOW)


TWENTY, FORTY_EIGHT = share(20, 120), share(48, 120)


class TestRecommend:
    def test_takes_the_first_that_applies(self) -> None:
        """A result that is small, young and badly split is first of all small."""
        hasty = replace(POLICY, runtime_at_least=timedelta(days=8))
        some, many = share(20, 400), share(250, 700)

        assert judged(paywall(), hasty, control=share(2, 99), after=share(9, 500))[1].code is (
            Code.INSUFFICIENT_SAMPLE
        )
        assert (
            judged(paywall(), hasty, control=some, after=many)[1].code
            is Code.MIN_RUNTIME_NOT_REACHED
        )
        assert judged(paywall(), control=some, after=many)[1].code is Code.SRM_DETECTED

    def test_needs_control_and_one_challenger_to_be_large_enough(self) -> None:
        test = paywall("after", "other")
        _, large = judged(test, control=share(20, 120), after=share(20, 120), other=share(3, 90))
        _, small = judged(test, control=share(20, 120), after=share(9, 99), other=share(9, 99))

        assert large.code is Code.NO_SIGNIFICANT_DIFFERENCE
        assert (small.code, small.required_sample_per_variant) == (Code.INSUFFICIENT_SAMPLE, 8158)

    def test_names_the_best_of_several_winners(self) -> None:
        _, found = judged(
            paywall("after", "other"),
            control=share(20, 400),
            after=share(80, 400),
            other=share(100, 400),
        )

        assert (found.code, found.variant_id) == (Code.WINNER, "other")

    def test_keeps_control_where_all_challengers_are_worse(self) -> None:
        _, found = judged(
            paywall("after", "other"),
            control=share(100, 400),
            after=share(20, 400),
            other=share(30, 400),
        )

        assert (found.code, found.variant_id) == (Code.CONTROL_IS_WINNER, "control")

    def test_knows_where_less_is_better(self) -> None:
        cheap = Sums(n=400, num=400, num_sq=500, den=4_000, den_sq=44_000, cross=4_200)
        dear = Sums(n=400, num=800, num_sq=1_800, den=4_000, den_sq=44_000, cross=8_400)

        found, advice = judged(paywall(primary_metric="avg_cost_usd"), control=dear, after=cheap)

        assert found.verdicts["after"].standing is Standing.BETTER
        assert (advice.code, advice.variant_id) == (Code.WINNER, "after")

    def test_compares_nothing_where_there_is_one_variant(self) -> None:
        alone = paywall(variants=variants("control"))

        found, advice = judged(alone, control=share(30, 120))

        assert (found.verdicts, advice.code) == ({}, Code.NO_SIGNIFICANT_DIFFERENCE)
        assert advice.reason == "there is one variant, so nothing is compared"

    def test_never_tests_what_is_only_described(self) -> None:
        latency = paywall(primary_metric="p95_latency_ms")

        found, advice = judged(latency, control=share(30, 120), after=share(90, 120))

        assert found.verdicts["after"].adjusted_p_value is None
        assert advice.reason == "this metric is described and never tested"


class TestModes:
    @pytest.mark.parametrize(
        ("mode", "planned", "p_value"),
        [
            (AnalysisMode.SEQUENTIAL, None, 0.0208),
            (AnalysisMode.FIXED, None, 0.0000605),
            (AnalysisMode.FIXED, 240, 0.0000605),
            (AnalysisMode.GROUP_SEQUENTIAL, 240, 0.0000657675),
        ],
    )
    def test_act_on_different_p_values(
        self, mode: AnalysisMode, planned: int | None, p_value: float
    ) -> None:
        found, _ = judged(
            paywall(analysis_mode=mode, planned_sample_size=planned),
            control=TWENTY,
            after=FORTY_EIGHT,
        )
        verdict = found.verdicts["after"]

        assert verdict.adjusted_p_value == pytest.approx(p_value, rel=0.002)
        assert verdict.always_valid.p_value == pytest.approx(0.0208, abs=5e-5)

    @pytest.mark.parametrize("users", [241, 1_000])
    def test_a_fixed_analysis_waits_for_its_plan(self, users: int) -> None:
        waiting = paywall(analysis_mode=AnalysisMode.FIXED, planned_sample_size=users)

        found, advice = judged(waiting, control=TWENTY, after=FORTY_EIGHT)

        assert found.verdicts["after"].standing is Standing.OPEN
        assert found.verdicts["after"].adjusted_p_value is None
        assert (advice.code, advice.reason) == (
            Code.NO_SIGNIFICANT_DIFFERENCE,
            f"the planned {users} users are not reached",
        )

    def test_a_fixed_analysis_without_a_plan_says_that_it_should_have_one(self) -> None:
        _, advice = judged(
            paywall(analysis_mode=AnalysisMode.FIXED), control=TWENTY, after=FORTY_EIGHT
        )

        assert advice.code is Code.WINNER
        assert advice.reason.endswith(
            "; no sample size was planned, so looking often finds differences that are not there"
        )

    def test_several_challengers_must_pass_holm(self) -> None:
        found, _ = judged(
            paywall("after", "other", analysis_mode=AnalysisMode.FIXED),
            control=share(100, 1_000),
            after=share(127, 1_000),
            other=share(129, 1_000),
        )

        p_values = {each: verdict.adjusted_p_value for each, verdict in found.verdicts.items()}
        assert p_values["after"] == pytest.approx(0.0835, abs=0.001)
        assert p_values["other"] == pytest.approx(0.0835, abs=0.001)
        assert not any(each.is_significant for each in found.verdicts.values())

    def test_the_tuning_of_the_phase_wins_over_the_policy(self) -> None:
        ours, _ = judged(paywall(sequential_tuning_n=100_000), control=TWENTY, after=FORTY_EIGHT)
        policys, _ = judged(
            paywall(sequential_tuning_n=None),
            replace(POLICY, tuning_n=100_000),
            control=TWENTY,
            after=FORTY_EIGHT,
        )

        p_value = ours.verdicts["after"].always_valid.p_value
        assert p_value == policys.verdicts["after"].always_valid.p_value
        assert p_value != pytest.approx(0.0208, abs=5e-5)


class TestCompare:
    def test_values_of_nobody_are_none(self) -> None:
        assert value_of(CONVERSION, Sums()) is None
        assert value_of(COST, Sums(n=5)) is None
        assert compare(CONVERSION, Sums(), Sums(), 0.05).p_value is None

    def test_sizes_need_an_outcome(self) -> None:
        assert users_needed(CONVERSION, share(0, 50), 0.1, 0.05) is None
        assert users_needed(CONVERSION, share(5, 100), 0.2, 0.05) == 8158
