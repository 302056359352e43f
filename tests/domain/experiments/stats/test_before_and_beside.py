"""How many users are needed, whether they were split as they should be, who is likely better."""

import pytest

from medici.domain.experiments.stats.chance import chance_to_win
from medici.domain.experiments.stats.sizing import required_sample, required_sample_mean
from medici.domain.experiments.stats.srm import srm
from medici.domain.experiments.stats.values import SampleRatio


class TestSrm:
    def test_finds_nothing_in_an_even_split(self) -> None:
        assert srm([120, 120], [50, 50]) == SampleRatio(
            p_value=1.0, sequential_p_value=1.0, detected=False, expected=(120.0, 120.0)
        )

    def test_detects_what_should_not_be(self) -> None:
        found = srm([5_000, 5_400], [50, 50])

        assert found.detected
        assert found.p_value == pytest.approx(8.76994e-05, rel=1e-5)
        assert found.sequential_p_value == pytest.approx(0.00503087, rel=1e-5)

    def test_waits_for_five_expected_of_each(self) -> None:
        assert not srm([40, 0, 0, 0], [97, 1, 1, 1]).detected
        assert not srm([0, 9], [1, 1]).detected
        assert srm([0, 30], [1, 1]).detected

    def test_has_nothing_to_find_without_users_or_with_one_variant(self) -> None:
        for found in (srm([0, 0], [1, 3]), srm([500], [1])):
            assert (found.p_value, found.sequential_p_value, found.detected) == (1, 1, False)

    def test_lets_a_variant_rest(self) -> None:
        found = srm([100, 0, 100], [1, 0, 1])

        assert (found.p_value, found.detected, found.expected) == (1, False, (100, 0, 100))

    def test_detects_users_where_none_can_be(self) -> None:
        found = srm([100, 1, 100], [1, 0, 1])

        assert (found.p_value, found.sequential_p_value, found.detected) == (0, 0, True)


class TestRequiredSample:
    def test_is_that_of_the_usual_case(self) -> None:
        assert required_sample(0.05, 0.1, 0.8, 0.05) == 31_234

    def test_reaches_a_hundred_percent(self) -> None:
        assert required_sample(0.5, 1.0, 0.8, 0.05) == 11

    @pytest.mark.parametrize(("baseline", "mde"), [(0, 0.1), (0.05, 0), (0.95, 0.1), (0.5, -1.5)])
    def test_is_unknown_where_there_is_no_such_effect(self, baseline: float, mde: float) -> None:
        assert required_sample(baseline, mde, 0.8, 0.05) is None

    def test_of_a_mean_is_that_of_the_usual_case(self) -> None:
        assert required_sample_mean(10, 30, 0.05, 0.8, 0.05) == 56_512

    def test_of_a_mean_is_two_where_nothing_varies_and_unknown_of_nothing(self) -> None:
        assert required_sample_mean(10, 0, 0.05, 0.8, 0.05) == 2
        assert required_sample_mean(0, 30, 0.05, 0.8, 0.05) is None


class TestChanceToWin:
    @pytest.mark.parametrize(
        ("counts", "chance"),
        [
            ((0, 0, 0, 0), 1 / 2),
            ((0, 1, 1, 1), 5 / 6),
            ((1, 1, 0, 1), 1 / 6),
            ((0, 0, 9, 9), 10 / 11),
            ((0, 10_000_000, 1, 1), 1 - 2 / (10_000_002 * 10_000_003)),
        ],
    )
    def test_is_exact(self, counts: tuple[int, int, int, int], chance: float) -> None:
        assert chance_to_win(*counts) == pytest.approx(chance, abs=1e-12)

    def test_is_all_but_certain_of_a_large_effect(self) -> None:
        assert chance_to_win(20, 120, 48, 120) == pytest.approx(0.99997, abs=1e-5)
