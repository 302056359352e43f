"""Who looks every hour for a week is told of differences that are there, and hardly of others."""

import json
from pathlib import Path

import pytest

from medici.domain.experiments.stats.group_sequential import boundary
from tests.domain.experiments import stats
from tests.sim.peeking import ALPHA, HOURS, Rule, Week, beyond, declared, late, paths

ONE_LOOK = 1.959963984540054
FOUND_IN_FOUR_OF_FIVE = ONE_LOOK + 0.8416212335729143  # the effect that one look finds so often
RUNS = 20_000
NOISE = 0.02  # two standard deviations of a twentieth of 500 runs


def obrien_fleming(looks: int) -> float:
    """Return the level of the discrete design, as another library reckons it."""
    table = Path(str(stats.__file__)).with_name("reference.json").read_text()
    levels = {case["looks"]: case["level"] for case in json.loads(table)["obrien_fleming"]}
    return float(levels[looks])


class TestNoEffect:
    def test_is_taken_for_one_in_a_twentieth_of_all_weeks_unless_by_the_fixed_p(self) -> None:
        told = declared(Week(rates=(0.05, 0.05)))

        assert told[Rule.ALWAYS_VALID] <= ALPHA
        assert told[Rule.GROUP_SEQUENTIAL] <= ALPHA + NOISE
        assert told[Rule.ONCE] == pytest.approx(ALPHA, abs=NOISE)
        assert told[Rule.HOURLY] > 5 * ALPHA

    @pytest.mark.parametrize(
        "week",
        [Week(rates=(0.05,) * 3, runs=250), Week(rates=(0.05, 0.05), delay=36, runs=250)],
        ids=["three_arms", "late_outcomes"],
    )
    def test_is_taken_for_one_no_more_often_when_things_are_less_simple(self, week: Week) -> None:
        told = declared(week)

        assert told[Rule.ALWAYS_VALID] <= ALPHA
        assert told[Rule.GROUP_SEQUENTIAL] <= ALPHA + NOISE
        assert told[Rule.HOURLY] > 5 * ALPHA


class TestEffect:
    def test_is_found(self) -> None:
        told = declared(Week(rates=(0.05, 0.06), runs=250))

        assert told[Rule.ALWAYS_VALID] > 0.5
        assert told[Rule.GROUP_SEQUENTIAL] > 0.8
        assert told[Rule.ONCE] > 0.8


class TestGroupSequential:
    def test_declares_nothing_as_something_in_a_twentieth(self) -> None:
        assert beyond(paths(RUNS), boundary(ALPHA)) == pytest.approx(0.045, abs=0.005)

    def test_finds_almost_as_much_as_five_looks_that_were_planned(self) -> None:
        walks = paths(RUNS, effect=FOUND_IN_FOUR_OF_FIVE)

        assert beyond(walks, ONE_LOOK, looks=1) == pytest.approx(0.80, abs=0.01)
        assert beyond(walks, obrien_fleming(5), looks=5) == pytest.approx(0.79, abs=0.01)
        assert beyond(walks, obrien_fleming(HOURS)) == pytest.approx(0.78, abs=0.01)
        assert beyond(walks, boundary(ALPHA)) == pytest.approx(0.77, abs=0.01)

    def test_finds_as_much_with_a_tenth_more_users(self) -> None:
        walks = paths(RUNS, effect=FOUND_IN_FOUR_OF_FIVE * 1.1**0.5)

        assert beyond(walks, boundary(ALPHA)) >= 0.795

    def test_bears_one_look_that_is_a_little_late_but_no_looking_on(self) -> None:
        assert late(1.1, once=True) == pytest.approx(ALPHA, abs=0.005)
        assert late(2.0, once=False) == pytest.approx(0.097, abs=0.01)
