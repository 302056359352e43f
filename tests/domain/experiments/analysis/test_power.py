"""How many users it takes, for each way of deciding."""

from random import Random

import pytest

from medici.domain.assignments.models import AnalysisMode, Experiment
from medici.domain.experiments.analysis.deciding import measured_baseline
from medici.domain.experiments.analysis.errors import Unfit, UnfitSize
from medici.domain.experiments.analysis.power import Aim, Baseline, sizings
from medici.domain.experiments.metrics.keys import Unit
from medici.domain.experiments.stats.proportions import two_proportion
from medici.domain.experiments.stats.sequential import sequential
from tests.domain.experiments.analysis.lab import Lab

AIM = Aim(mde=0.5, power=0.8, alpha=0.05, variants=2, tuning_n=2000)


def needed(baseline: Baseline, aim: Aim = AIM) -> dict[AnalysisMode, int]:
    return {
        each.analysis_mode: each.users_per_variant
        for each in sizings(baseline, aim, users_per_day=None)
    }


class TestSizings:
    def test_finds_the_effect_as_often_as_was_asked(self) -> None:
        """Of 400 experiments of the size told, looked at once, 80 % or a few more are found."""
        users = needed(Baseline(value=0.2))[AnalysisMode.SEQUENTIAL]
        draw = Random(7)

        found = 0
        for _ in range(400):
            x0, x1 = (sum(draw.random() < p for _ in range(users)) for p in (0.2, 0.3))
            told = two_proportion(x0, users, x1, users, AIM.alpha)
            p_value = sequential(told.diff, told.se, 2 * users, AIM.alpha, AIM.tuning_n).p_value
            found += p_value is not None and p_value < AIM.alpha

        assert found / 400 == pytest.approx(0.8, abs=0.06)

    def test_knows_means(self) -> None:
        mean = Baseline(value=10.0, deviation=20.0, unit=Unit.USD)

        # By hand: 2 * ((1.959964 + 0.841621) * 20 / 5)^2 = 251.2
        assert needed(mean)[AnalysisMode.FIXED] == 252

    def test_refuses_what_cannot_be(self) -> None:
        with pytest.raises(UnfitSize) as refused:
            needed(Baseline(value=0.8))

        assert refused.value.code is Unfit.OUT_OF_REACH


class TestMeasuredBaseline:
    async def test_is_what_control_came_to(self, lab: Lab) -> None:
        await lab.set_up(primary_metric="net_revenue_per_visitor")
        await lab.assign("control", "ada", "bob")
        await lab.pay("ada", 1_000)

        async with lab.database.reading() as session:
            experiment = await session.get_one(Experiment, "paywall")
            found = await measured_baseline(session, experiment)

        assert (found.value, found.unit) == (5.0, Unit.USD)
        assert found.deviation == pytest.approx(7.0710678)
