"""Two groups, and what part of each did it."""

from time import perf_counter

import pytest

from medici.domain.experiments.stats.proportions import two_proportion
from medici.domain.experiments.stats.values import Comparison, Method

ALPHA = 0.05
MANY = 10_000_000


class TestTwoProportion:
    def test_tells_all_of_a_usual_case(self) -> None:
        compared = two_proportion(20, 120, 48, 120, ALPHA)

        assert compared.method is Method.POOLED_Z
        assert (compared.diff, compared.lift) == (28 / 120, 1.4)
        assert compared.p_value == pytest.approx(6.048030224155e-05, rel=1e-12)
        assert compared.diff_ci == pytest.approx((0.1200888, 0.3389147), abs=5e-8)
        assert compared.lift_ci == pytest.approx((0.5392337, 2.8023214), abs=5e-8)
        assert compared.se == pytest.approx(0.0561908, abs=5e-8)

    def test_tells_nothing_of_an_empty_arm(self) -> None:
        nothing = Comparison(p_value=None, method=Method.NOT_ESTIMABLE)

        assert two_proportion(0, 0, 5, 10, ALPHA) == nothing
        assert two_proportion(5, 10, 0, 0, ALPHA) == nothing

    def test_has_no_p_value_where_nobody_did_it(self) -> None:
        compared = two_proportion(0, 50, 0, 70, ALPHA)

        assert (compared.p_value, compared.method) == (None, Method.NOT_ESTIMABLE)
        assert (compared.diff, compared.lift, compared.lift_ci, compared.se) == (0, None, None, 0)

    def test_has_no_p_value_where_everybody_did_it(self) -> None:
        compared = two_proportion(MANY, MANY, MANY, MANY, ALPHA)

        assert (compared.p_value, compared.diff, compared.lift) == (None, 0, 0)
        assert compared.lift_ci is not None
        # Of n in n the score limit is n / (n + z²).
        assert compared.lift_ci[0] == pytest.approx(-3.841457344444e-07, rel=1e-9)

    def test_has_a_p_value_but_no_lift_where_nobody_in_control_did_it(self) -> None:
        compared = two_proportion(0, 100, 9, 100, ALPHA)

        assert compared.p_value == pytest.approx(0.0032366, abs=5e-8)
        assert (compared.lift, compared.lift_ci) == (None, None)

    def test_may_have_lost_all_where_nobody_in_the_challenger_did_it(self) -> None:
        compared = two_proportion(9, 100, 0, 100, ALPHA)

        assert compared.lift == -1
        assert compared.lift_ci is not None
        assert compared.lift_ci[0] == -1
        assert -1 < compared.lift_ci[1] < 0

    def test_turns_to_fisher_below_five_expected(self) -> None:
        assert two_proportion(5, 100, 5, 100, ALPHA).method is Method.POOLED_Z
        assert two_proportion(5, 100, 4, 100, ALPHA).method is Method.FISHER
        assert two_proportion(95, 100, 96, 100, ALPHA).method is Method.FISHER

    def test_keeps_an_error_where_neither_arm_varies_but_both_differ(self) -> None:
        assert two_proportion(0, 100, 100, 100, ALPHA).se == pytest.approx(0.0707107, abs=1e-7)

    def test_tells_tiny_p_values_from_none(self) -> None:
        tiny = two_proportion(500_000, MANY, 535_000, MANY, ALPHA)
        tiniest = two_proportion(0, MANY, MANY, MANY, ALPHA)

        assert tiny.p_value == pytest.approx(2.076426927e-273, rel=1e-9)
        assert tiniest.p_value == 0  # below what a float can hold

    def test_is_quick_however_many_users_there_are(self) -> None:
        began = perf_counter()
        for few in range(100):
            assert two_proportion(few % 5, MANY, few % 4 + 1, MANY, ALPHA).p_value is not None

        assert perf_counter() - began < 1  # 0.01 on an idle machine
