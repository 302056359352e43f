"""Means and ratios where there is little to compare."""

import pytest

from medici.domain.experiments.stats.cuped import cuped
from medici.domain.experiments.stats.means import ratio_delta, welch
from medici.domain.experiments.stats.values import (
    Comparison,
    CupedSample,
    Method,
    RatioSample,
    Sample,
)

ALPHA = 0.05
USUAL = Sample(n=4, total=10.0, squares=30.0)  # 1, 2, 3, 4


class TestWelch:
    def test_tells_all_of_a_usual_case(self) -> None:
        compared = welch(USUAL, Sample(n=4, total=18.0, squares=86.0), ALPHA)  # 3, 4, 5, 6

        assert (compared.method, compared.diff, compared.lift) == (Method.WELCH, 2.0, 0.8)
        assert compared.p_value == pytest.approx(0.070988, abs=5e-7)
        assert compared.se == pytest.approx(0.912871, abs=5e-7)
        assert compared.diff_ci == pytest.approx((-0.233715, 4.233715), abs=5e-7)

    def test_tells_nothing_of_an_empty_arm(self) -> None:
        empty = Sample(n=0, total=0.0, squares=0.0)
        nothing = Comparison(p_value=None, method=Method.NOT_ESTIMABLE)

        assert welch(empty, USUAL, ALPHA) == nothing
        assert welch(USUAL, empty, ALPHA) == nothing

    def test_shows_the_difference_of_a_single_user_without_judging_it(self) -> None:
        compared = welch(USUAL, Sample(n=1, total=3.0, squares=9.0), ALPHA)

        assert compared == Comparison(p_value=None, method=Method.NOT_ESTIMABLE, diff=0.5, lift=0.2)

    def test_does_not_take_rounding_for_variance(self) -> None:
        thousand = Sample(n=1000, total=sum([0.1] * 1000), squares=sum([0.1**2] * 1000))
        other = Sample(n=900, total=sum([0.3] * 900), squares=sum([0.3**2] * 900))

        assert welch(thousand, other, ALPHA).method is Method.NOT_ESTIMABLE

    @pytest.mark.parametrize("total", [0.0, -10.0])
    def test_has_no_lift_over_nothing_or_a_loss(self, total: float) -> None:
        compared = welch(Sample(n=4, total=total, squares=30.0), USUAL, ALPHA)

        assert compared.p_value is not None
        assert (compared.lift, compared.lift_ci) == (None, None)


class TestRatioDelta:
    def test_is_the_mean_where_every_denominator_is_one(self) -> None:
        other = Sample(n=5, total=11.0, squares=31.0)

        mean = welch(USUAL, other, ALPHA)
        ratio = ratio_delta(of_ones(USUAL), of_ones(other), ALPHA)

        assert ratio.method is Method.RATIO
        assert (ratio.p_value, ratio.diff, ratio.se) == pytest.approx(
            (mean.p_value, mean.diff, mean.se), rel=1e-12
        )
        assert ratio.lift_ci == pytest.approx(mean.lift_ci, rel=1e-12)

    def test_takes_the_user_for_the_unit(self) -> None:
        """Ten users with ten renders each, of which all or none succeed."""
        half = RatioSample(n=10, num=50, num_sq=500, den=100, den_sq=1000, cross=500)
        most = RatioSample(n=10, num=70, num_sq=700, den=100, den_sq=1000, cross=700)

        compared = ratio_delta(half, most, ALPHA)

        assert compared.diff == pytest.approx(0.2)
        assert compared.p_value == pytest.approx(0.388096, abs=5e-7)  # by renders it were 0.004

    def test_tells_nothing_without_denominators(self) -> None:
        nobody = RatioSample(n=7, num=0, num_sq=0, den=0, den_sq=0, cross=0)

        assert ratio_delta(of_ones(USUAL), nobody, ALPHA) == Comparison(
            p_value=None, method=Method.NOT_ESTIMABLE
        )

    def test_shows_the_difference_where_nothing_varies(self) -> None:
        """All renders of all users succeed, in both arms."""
        control = RatioSample(n=3, num=6, num_sq=14, den=6, den_sq=14, cross=14)

        compared = ratio_delta(control, control, ALPHA)

        assert (compared.p_value, compared.diff, compared.lift) == (None, 0, 0)


def of_ones(sample: Sample) -> RatioSample:
    return RatioSample(
        n=sample.n,
        num=sample.total,
        num_sq=sample.squares,
        den=sample.n,
        den_sq=sample.n,
        cross=sample.total,
    )


class TestCuped:
    def test_takes_away_what_the_past_explains(self) -> None:
        """The challenger's users had more before, and just as much more afterwards."""
        control = CupedSample(n=3, post=6, post_sq=14, pre=6, pre_sq=14, cross=14)  # 1, 2, 3
        challenger = CupedSample(n=3, post=15, post_sq=77, pre=15, pre_sq=77, cross=77)  # 4, 5, 6

        one, other = cuped(control, challenger)

        assert (one.total, other.total) == pytest.approx((10.5, 10.5))
        assert welch(one, other, ALPHA).method is Method.NOT_ESTIMABLE

    def test_changes_nothing_without_a_past(self) -> None:
        control = CupedSample(n=4, post=10, post_sq=30, pre=0, pre_sq=0, cross=0)

        assert cuped(control, control) == (USUAL, USUAL)

    def test_changes_nothing_where_every_past_is_alike(self) -> None:
        control = CupedSample(n=4, post=10, post_sq=30, pre=8, pre_sq=16, cross=20)

        assert cuped(control, control) == (USUAL, USUAL)

    def test_takes_empty_arms(self) -> None:
        empty = CupedSample(n=0, post=0, post_sq=0, pre=0, pre_sq=0, cross=0)
        nothing = Sample(n=0, total=0, squares=0)

        assert cuped(empty, empty) == (nothing, nothing)
