"""What must hold of any counts at all."""

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.domain.experiments.stats.chance import chance_to_win
from medici.domain.experiments.stats.cuped import cuped
from medici.domain.experiments.stats.group_sequential import group_sequential
from medici.domain.experiments.stats.holm import holm
from medici.domain.experiments.stats.means import ratio_delta, welch
from medici.domain.experiments.stats.proportions import two_proportion
from medici.domain.experiments.stats.sequential import sequential
from medici.domain.experiments.stats.srm import srm
from medici.domain.experiments.stats.values import (
    Comparison,
    CupedSample,
    Interval,
    Method,
    RatioSample,
    Sample,
)

MANY = 10_000_000
USERS = st.one_of(st.integers(0, 30), st.integers(0, 2_000), st.integers(0, MANY))
ARM = USERS.flatmap(
    lambda n: st.tuples(st.one_of(st.integers(0, n), st.integers(0, min(n, 9))), st.just(n))
)
ALPHA = st.sampled_from([0.001, 0.01, 0.05, 0.2])
P_VALUE = st.floats(0, 1)
EFFECT = st.floats(0, 10)
USER = st.tuples(st.integers(-50, 50), st.integers(0, 20))
USERS_OF_AN_ARM = st.lists(USER, max_size=12)

Arm = tuple[int, int]
Users = list[tuple[int, int]]


def told(compared: Comparison) -> list[float]:
    """Return all figures of a comparison."""
    intervals = [each for each in (compared.diff_ci, compared.lift_ci) if each is not None]
    single = (compared.p_value, compared.diff, compared.lift, compared.se)
    return [each for each in single if each is not None] + [x for pair in intervals for x in pair]


def near(value: float | Interval | None) -> object:
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)


def mirrored(interval: Interval | None) -> Interval | None:
    return None if interval is None else (-interval[1], -interval[0])


class TestTwoProportion:
    @given(ARM, ARM, ALPHA)
    def test_tells_finite_figures_of_any_counts(
        self, control: Arm, challenger: Arm, alpha: float
    ) -> None:
        compared = two_proportion(*control, *challenger, alpha)

        assert all(map(isfinite, told(compared)))
        assert compared.p_value is None or 0 <= compared.p_value <= 1
        assert (compared.p_value is None) == (compared.method is Method.NOT_ESTIMABLE)

    @given(ARM, ARM, ALPHA)
    def test_has_its_estimates_inside_their_intervals(
        self, control: Arm, challenger: Arm, alpha: float
    ) -> None:
        compared = two_proportion(*control, *challenger, alpha)

        for value, interval in (
            (compared.diff, compared.diff_ci),
            (compared.lift, compared.lift_ci),
        ):
            if value is not None and interval is not None:
                assert interval[0] <= value * (1 + 1e-12) + 1e-12
                assert value * (1 - 1e-12) - 1e-12 <= interval[1]

    @given(ARM, ARM, ALPHA)
    def test_mirrors_when_arms_change_places(
        self, control: Arm, challenger: Arm, alpha: float
    ) -> None:
        one = two_proportion(*control, *challenger, alpha)
        other = two_proportion(*challenger, *control, alpha)

        assert one.p_value == near(other.p_value)
        assert one.method is other.method
        assert one.diff == (None if other.diff is None else -other.diff)
        assert one.diff_ci == near(mirrored(other.diff_ci))
        assert one.se == near(other.se)

    @given(ARM, ARM, ALPHA)
    def test_has_the_inverse_ratio_when_arms_change_places(
        self, control: Arm, challenger: Arm, alpha: float
    ) -> None:
        one = two_proportion(*control, *challenger, alpha).lift_ci
        other = two_proportion(*challenger, *control, alpha).lift_ci

        if one is not None and other is not None:
            inverse = (1 / (other[1] + 1), 1 / (other[0] + 1))
            assert (one[0] + 1, one[1] + 1) == pytest.approx(inverse, rel=1e-6)

    @given(ARM, ARM, ALPHA)
    def test_leaves_zero_lift_out_exactly_when_the_z_test_rejects(
        self, control: Arm, challenger: Arm, alpha: float
    ) -> None:
        compared = two_proportion(*control, *challenger, alpha)

        if compared.method is Method.POOLED_Z and compared.lift_ci is not None:
            assert compared.p_value is not None
            low, high = compared.lift_ci
            if abs(compared.p_value / alpha - 1) > 1e-6:
                assert (compared.p_value < alpha) == (low > 0 or high < 0)

    @given(ARM, ARM)
    def test_gives_a_chance_to_each_side(self, control: Arm, challenger: Arm) -> None:
        chance = chance_to_win(*control, *challenger)

        assert 0 <= chance <= 1
        assert chance == pytest.approx(1 - chance_to_win(*challenger, *control), abs=1e-9)


def sample(users: Users) -> Sample:
    return Sample(
        n=len(users), total=sum(a for a, _ in users), squares=sum(a * a for a, _ in users)
    )


def ratio_sample(users: Users) -> RatioSample:
    return RatioSample(
        n=len(users),
        num=sum(a for a, _ in users),
        num_sq=sum(a * a for a, _ in users),
        den=sum(b for _, b in users),
        den_sq=sum(b * b for _, b in users),
        cross=sum(a * b for a, b in users),
    )


def cuped_sample(users: Users) -> CupedSample:
    sums = ratio_sample(users)
    return CupedSample(
        n=sums.n,
        post=sums.num,
        post_sq=sums.num_sq,
        pre=sums.den,
        pre_sq=sums.den_sq,
        cross=sums.cross,
    )


class TestMeans:
    @given(USERS_OF_AN_ARM, USERS_OF_AN_ARM, ALPHA)
    def test_are_compared_whatever_they_are(
        self, control: Users, challenger: Users, alpha: float
    ) -> None:
        for one, other in (
            (
                welch(sample(control), sample(challenger), alpha),
                welch(sample(challenger), sample(control), alpha),
            ),
            (
                ratio_delta(ratio_sample(control), ratio_sample(challenger), alpha),
                ratio_delta(ratio_sample(challenger), ratio_sample(control), alpha),
            ),
        ):
            assert all(map(isfinite, told(one)))
            assert one.p_value is None or 0 <= one.p_value <= 1
            assert one.p_value == near(other.p_value)
            assert one.diff_ci == near(mirrored(other.diff_ci))

    @given(USERS_OF_AN_ARM, USERS_OF_AN_ARM)
    def test_never_vary_more_once_adjusted(self, control: Users, challenger: Users) -> None:
        arms = cuped(cuped_sample(control), cuped_sample(challenger))

        plain = scatter(sample(control), sample(challenger))
        assert scatter(*arms) <= plain * (1 + 1e-9) + 1e-9


def scatter(*arms: Sample) -> float:
    """Return the sum of squares about the mean of all users."""
    n, total = sum(arm.n for arm in arms), sum(arm.total for arm in arms)
    return sum(arm.squares for arm in arms) - (total * total / n if n else 0)


class TestRepeatedLooks:
    @given(EFFECT, EFFECT, st.floats(1e-6, 10), st.integers(1, MANY), st.integers(100, MANY))
    def test_fall_with_the_size_of_the_difference(
        self, one: float, other: float, se: float, users: int, tuning_n: int
    ) -> None:
        differences = -max(one, other), min(one, other), max(one, other)

        for opposite, small, large in (
            [sequential(diff, se, users, 0.05, tuning_n) for diff in differences],
            [group_sequential(diff, se, users, tuning_n, 0.05) for diff in differences],
        ):
            assert small.p_value is not None
            assert large.p_value is not None
            assert 0 <= large.p_value <= small.p_value <= 1
            assert opposite.p_value == large.p_value
            assert opposite.interval == mirrored(large.interval)

    @given(EFFECT, st.floats(1e-6, 10), st.integers(1, MANY), ALPHA)
    def test_leave_zero_out_exactly_when_they_reject(
        self, diff: float, se: float, users: int, alpha: float
    ) -> None:
        for found in (
            sequential(diff, se, users, alpha, 2000),
            group_sequential(diff, se, users, 100_000, alpha),
        ):
            assert found.p_value is not None
            assert found.interval is not None
            if abs(found.p_value / alpha - 1) > 1e-6:
                assert (found.p_value < alpha) == (found.interval[0] > 0)


class TestHolm:
    @given(st.lists(st.none() | P_VALUE, max_size=8))
    def test_never_lowers_a_p_value_and_keeps_their_order(
        self, p_values: list[float | None]
    ) -> None:
        adjusted = holm(p_values)

        pairs = [(p, q) for p, q in zip(p_values, adjusted, strict=True) if p is not None is not q]
        assert [p is None for p in p_values] == [q is None for q in adjusted]
        assert all(p <= q <= 1 for p, q in pairs)
        assert sorted(pairs) == sorted(pairs, key=lambda pair: (pair[1], pair[0]))


class TestSrm:
    @given(st.lists(st.tuples(st.integers(0, MANY), st.integers(1, 100)), min_size=1, max_size=6))
    def test_has_p_values_for_any_split(self, arms: list[tuple[int, int]]) -> None:
        found = srm([x for x, _ in arms], [weight for _, weight in arms])

        assert 0 <= found.p_value <= 1
        assert 0 <= found.sequential_p_value <= 1
        assert sum(found.expected) == pytest.approx(sum(x for x, _ in arms))
