"""The same figures as libraries that do not go with ours; ``reference.py`` asks them."""

import json
from collections.abc import Mapping, Sequence
from math import erfc, sqrt
from pathlib import Path
from typing import Any

import pytest

from medici.domain.experiments.stats.cuped import cuped
from medici.domain.experiments.stats.group_sequential import boundary, crossing
from medici.domain.experiments.stats.means import ratio_delta, welch
from medici.domain.experiments.stats.proportions import two_proportion
from medici.domain.experiments.stats.sequential import sequential
from medici.domain.experiments.stats.srm import srm
from medici.domain.experiments.stats.values import Comparison, CupedSample, RatioSample, Sample

Case = Mapping[str, Any]

TABLES: Mapping[str, Sequence[Case]] = json.loads(
    Path(__file__).with_name("reference.json").read_text()
)
ALPHA = 0.05


def near(value: object) -> object:
    return pytest.approx(value, rel=1e-6, abs=1e-12)


def sample(arm: Case) -> Sample:
    return Sample(n=arm["n"], total=arm["first"], squares=arm["first_sq"])


def ratio_sample(arm: Case) -> RatioSample:
    return RatioSample(
        n=arm["n"],
        num=arm["first"],
        num_sq=arm["first_sq"],
        den=arm["second"],
        den_sq=arm["second_sq"],
        cross=arm["cross"],
    )


def cuped_sample(arm: Case) -> CupedSample:
    return CupedSample(
        n=arm["n"],
        post=arm["first"],
        post_sq=arm["first_sq"],
        pre=arm["second"],
        pre_sq=arm["second_sq"],
        cross=arm["cross"],
    )


def assert_same(compared: Comparison, theirs: Case) -> None:
    assert compared.p_value == near(theirs["p_value"])
    assert compared.diff == near(theirs["diff"])
    assert compared.diff_ci == near(tuple(theirs["diff_ci"]))
    assert compared.lift == near(theirs["lift"])


class TestSequential:
    @pytest.mark.parametrize("case", TABLES["sequential"], ids=range(len(TABLES["sequential"])))
    def test_is_that_of_growthbook(self, case: Case) -> None:
        x0, n0, x1, n1 = case["counts"]
        alpha = case["alpha"]
        compared = two_proportion(x0, n0, x1, n1, alpha)

        found = sequential(compared.diff, compared.se, n0 + n1, alpha, case["tuning_n"])

        assert found.p_value == near(case["p_value"])
        assert found.interval == near(tuple(case["interval"]))


class TestMeans:
    @pytest.mark.parametrize("case", TABLES["welch"], ids=range(len(TABLES["welch"])))
    def test_are_compared_as_growthbook_does(self, case: Case) -> None:
        compared = welch(sample(case["control"]), sample(case["challenger"]), ALPHA)

        assert_same(compared, case)
        assert compared.lift_ci == near(tuple(case["lift_ci"]))
        assert compared.se == near(case["se"])

    @pytest.mark.parametrize("case", TABLES["ratio"], ids=range(len(TABLES["ratio"])))
    def test_of_ratios_are_compared_as_tea_tasting_does(self, case: Case) -> None:
        arms = ratio_sample(case["control"]), ratio_sample(case["challenger"])

        assert_same(ratio_delta(*arms, ALPHA), case)

    @pytest.mark.parametrize("case", TABLES["cuped"], ids=range(len(TABLES["cuped"])))
    def test_are_adjusted_as_tea_tasting_does(self, case: Case) -> None:
        arms = cuped(cuped_sample(case["control"]), cuped_sample(case["challenger"]))

        assert_same(welch(*arms, ALPHA), case)


class TestSrm:
    @pytest.mark.parametrize("case", TABLES["multinomial"], ids=range(len(TABLES["multinomial"])))
    def test_has_the_multinomial_test_of_savvi(self, case: Case) -> None:
        found = srm(case["observed"], case["weights"])

        assert found.sequential_p_value == near(case["p_value"])


class TestBoundary:
    def test_is_what_ever_more_looks_come_to(self) -> None:
        levels = [case["level"] for case in TABLES["obrien_fleming"]]

        assert levels == sorted(levels)
        assert levels[-1] < boundary(ALPHA)

    def test_is_met_by_many_looks_once_they_are_corrected_for(self) -> None:
        last = TABLES["obrien_fleming"][-1]
        overshoot = 0.5826 / sqrt(last["looks"])  # Siegmund's, of a walk beyond a level

        assert last["level"] + overshoot == pytest.approx(boundary(ALPHA), abs=0.002)

    def test_of_one_look_is_lower_by_little_more_than_a_tenth(self) -> None:
        one, *_ = (case["level"] for case in TABLES["obrien_fleming"])

        assert erfc(one / sqrt(2)) == pytest.approx(ALPHA, rel=1e-6)
        assert boundary(ALPHA) / one == pytest.approx(1.1436, abs=1e-4)
        assert crossing(one) == pytest.approx(2 * ALPHA, rel=1e-6)
