# /// script
# requires-python = "==3.11.*"
# dependencies = [
#     "gbstats==0.8.0", "gsdesign==0.1.5", "matplotlib", "savvi==0.3.1", "tea-tasting==1.14.0",
# ]
# [tool.uv]
# override-dependencies = ["numpy>=2", "pandas>=2.2"]
# ///
"""Print what other people's libraries say, for the tests to compare with.

Their pins clash with ours, so they are asked in an environment of their own, for two minutes::

    uv run --script tests/domain/experiments/stats/reference.py \
        > tests/domain/experiments/stats/reference.json

GrowthBook's gbstats knows the always-valid test, tea-tasting the ratio of means and CUPED, savvi
the multinomial test, gsdesign (Jennison and Turnbull's recursive integration) discrete looks.
"""

import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt

import gbstats.frequentist.tests as gb  # type: ignore[import-not-found]  # only in that environment
import gsdesign  # type: ignore[import-not-found]  # likewise
import numpy as np
import tea_tasting as tea  # type: ignore[import-not-found]  # likewise
from gbstats.models import statistics as gbs  # type: ignore[import-not-found]  # likewise
from savvi.multinomial import Multinomial  # type: ignore[import-not-found]  # likewise

Case = Mapping[str, object]
Pairs = Sequence[tuple[float, float]]

COUNTS = (  # (x0, n0, x1, n1), alpha, tuning_n
    ((20, 120, 48, 120), 0.05, 2000),
    ((0, 100, 5, 100), 0.05, 2000),
    ((5, 100, 0, 300), 0.05, 2000),
    ((1, 10, 3, 12), 0.05, 100),
    ((1, 2, 1, 3), 0.05, 2000),
    ((50, 1000, 50, 1000), 0.05, 2000),
    ((50, 1000, 90, 1000), 0.01, 5000),
    ((500, 10_000, 560, 9_000), 0.001, 2000),
    ((9_990, 10_000, 9_900, 10_000), 0.05, 2000),
    ((500_000, 10_000_000, 501_000, 10_000_000), 0.05, 2000),
    ((500_000, 10_000_000, 505_000, 10_000_000), 0.05, 10_000_000),
    ((3, 10_000_000, 40, 10_000_000), 0.05, 2000),
    ((1, 10_000_000, 9, 1_000), 0.2, 2000),
)
SPLITS = (
    ((0, 0), (0.5, 0.5)),
    ((3, 0), (0.5, 0.5)),
    ((120, 120), (0.5, 0.5)),
    ((5_000, 5_400), (0.5, 0.5)),
    ((900, 120), (0.875, 0.125)),
    ((340, 320, 400), (0.25, 0.25, 0.5)),
    ((5_000_000, 5_004_000), (0.5, 0.5)),
    ((5_000_000, 5_020_000), (0.5, 0.5)),
    ((7_500_000, 2_497_000), (0.75, 0.25)),
)
LOOKS = (1, 2, 5, 20, 168)


def main() -> None:
    """Print all tables as one JSON object, a case a line."""
    tables: Mapping[str, Sequence[Case]] = {
        "sequential": [sequential(*counts) for counts in COUNTS],
        "welch": [welch(*arms) for arms in drawn_arms()],
        "ratio": [ratio(*arms) for arms in drawn_arms()],
        "cuped": [cuped(*arms) for arms in drawn_arms()],
        "multinomial": [multinomial(*split) for split in SPLITS],
        "obrien_fleming": [{"looks": looks, "level": obrien_fleming(looks)} for looks in LOOKS],
    }
    lines = (
        f'"{name}": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]"
        for name, cases in tables.items()
    )
    sys.stdout.write("{" + ",\n".join(lines) + "}\n")


def sequential(counts: tuple[int, int, int, int], alpha: float, tuning_n: int) -> Case:
    x0, n0, x1, n1 = counts
    config = gb.SequentialConfig(
        alpha=alpha, difference_type="absolute", sequential_tuning_parameter=tuning_n
    )
    test = gb.SequentialTwoSidedTTest(
        gbs.ProportionStatistic(n=n0, sum=x0), gbs.ProportionStatistic(n=n1, sum=x1), config
    )
    low, high = test.confidence_interval
    given = {"counts": counts, "alpha": alpha, "tuning_n": tuning_n}
    return {**given, "p_value": float(test.p_value), "interval": [float(low), float(high)]}


def drawn_arms() -> Iterator[tuple[Pairs, Pairs]]:
    """Give arms of users with two related values, of which the second is never negative."""
    dice = random.Random(5)
    for n0, n1, effect in ((2, 2, 0), (3, 8, 1), (10, 10, 0), (40, 25, 2), (300, 310, 0.3)):
        yield arm(dice, n0, 0), arm(dice, n1, effect)


def arm(dice: random.Random, n: int, effect: float) -> Pairs:
    second = [dice.randint(0, 9) + 0.5 for _ in range(n)]
    return [(round(each + dice.gauss(effect, 2), 3), each) for each in second]


def sums(pairs: Pairs) -> Case:
    return {
        "n": len(pairs),
        "first": sum(a for a, _ in pairs),
        "first_sq": sum(a * a for a, _ in pairs),
        "second": sum(b for _, b in pairs),
        "second_sq": sum(b * b for _, b in pairs),
        "cross": sum(a * b for a, b in pairs),
    }


def welch(control: Pairs, challenger: Pairs) -> Case:
    """Ask gbstats, once for the difference and once for the lift."""
    stats = [
        gbs.SampleMeanStatistic(
            n=len(pairs), sum=sum(a for a, _ in pairs), sum_squares=sum(a * a for a, _ in pairs)
        )
        for pairs in (control, challenger)
    ]
    absolute, relative = (
        gb.TwoSidedTTest(*stats, gb.FrequentistConfig(difference_type=kind))
        for kind in ("absolute", "relative")
    )
    return {
        "control": sums(control),
        "challenger": sums(challenger),
        "p_value": float(absolute.p_value),
        "diff": float(absolute.point_estimate),
        "diff_ci": [float(each) for each in absolute.confidence_interval],
        "lift": float(relative.point_estimate),
        "lift_ci": [float(each) for each in relative.confidence_interval],
        "se": sqrt(absolute.variance),
    }


def ratio(control: Pairs, challenger: Pairs) -> Case:
    return told_by_tea(tea.RatioOfMeans("first", "second", use_t=True), control, challenger)


def cuped(control: Pairs, challenger: Pairs) -> Case:
    return told_by_tea(tea.Mean("first", "second", use_t=True), control, challenger)


def told_by_tea(metric: tea.RatioOfMeans, control: Pairs, challenger: Pairs) -> Case:
    told = metric.analyze_aggregates(aggregates(control), aggregates(challenger))
    return {
        "control": sums(control),
        "challenger": sums(challenger),
        "p_value": float(told.pvalue),
        "diff": float(told.effect_size),
        "diff_ci": [float(told.effect_size_ci_lower), float(told.effect_size_ci_upper)],
        "lift": float(told.rel_effect_size),
    }


def aggregates(pairs: Pairs) -> tea.aggr.Aggregates:
    first, second = (np.array([pair[i] for pair in pairs]) for i in (0, 1))
    return tea.aggr.Aggregates(
        count_=len(pairs),
        mean_={"first": float(first.mean()), "second": float(second.mean())},
        var_={"first": float(first.var(ddof=1)), "second": float(second.var(ddof=1))},
        cov_={("first", "second"): float(np.cov(first, second)[0, 1])},
    )


def multinomial(observed: Sequence[int], weights: Sequence[float]) -> Case:
    test = Multinomial(0.05, np.array(weights))
    test.update(np.array(observed))
    return {"observed": observed, "weights": weights, "p_value": float(min(1, 1 / test.odds))}


def obrien_fleming(looks: int) -> float:
    """Return the level of Brownian motion that equally spaced looks cross in 5 % of all cases."""
    low, high = 1.0, 4.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if crossed(middle, looks) > 0.05 else (low, middle)
    return low


def crossed(level: float, looks: int) -> float:
    """Return one less the chance to stay inside at every look."""
    bound = [level / sqrt((look + 1) / looks) for look in range(looks)]
    grid = gsdesign.h1(64, 0.0, 1 / looks, -bound[0], bound[0])
    for look in range(1, looks):
        before, info = look / looks, (look + 1) / looks
        grid = gsdesign.hupdate(64, 0.0, info, -bound[look], bound[look], 0.0, before, grid)
    return 1 - float(np.sum(grid[2]))


if __name__ == "__main__":
    main()
