"""The same figures as scipy and statsmodels, which are asked here and now."""

from itertools import pairwise
from math import log

import numpy as np
import pytest
from scipy import integrate, linalg, stats
from statsmodels.stats import (  # type: ignore[import-untyped]  # it has no types
    multitest,
    power,
    proportion,
)

from medici.domain.experiments.stats.chance import chance_to_win
from medici.domain.experiments.stats.group_sequential import boundary, crossing
from medici.domain.experiments.stats.holm import holm
from medici.domain.experiments.stats.means import welch
from medici.domain.experiments.stats.proportions import two_proportion
from medici.domain.experiments.stats.sizing import required_sample, required_sample_mean
from medici.domain.experiments.stats.srm import CONCENTRATION, srm
from medici.domain.experiments.stats.values import Method, Sample

Counts = tuple[int, int, int, int]

MANY = 10_000_000
NEARLY_ALL: Counts = (MANY - 12, MANY, MANY - 31, MANY)
USUAL: list[Counts] = [
    (20, 120, 48, 120),
    (48, 120, 20, 120),
    (50, 1_000, 50, 1_000),
    (90, 100, 95, 100),
    (400, 800, 31, 70),
    (1_234, 20_000, 1_301, 19_500),
    (30, 5_000, 45, 60_000),
    (500_000, MANY, 501_000, MANY),
    (500_000, MANY, 480_000, 9_000_000),
    (12, MANY, 31, MANY),
    NEARLY_ALL,
    (9_000_000, MANY, 460, 500),
]
FEW: list[Counts] = [
    (0, 10, 3, 10),
    (5, 10, 9, 11),
    (0, 5, 4, 7),
    (1, 2, 1, 3),
    (1, 1, 0, 1),
    (10, 10, 6, 9),
    (3, 100, 1, 120),
    (0, 1_000, 8, 1_000),
    (2, MANY, 6, MANY),
    (0, MANY, 5, MANY),
    (1, MANY, 2, 1_000),
    (3, 10, 3_000_000, MANY),
    (10, 10, 4_000_000, MANY),
    (7, 1_000, 40_000, MANY),
]
RATIOS = [
    each
    for each in USUAL + FEW
    if each[0] and each is not NEARLY_ALL  # there their quadratic equation cancels out
]
ARMS = [  # users, mean and standard deviation, of control and challenger
    ((10, 5.0, 1.0), (12, 6.0, 2.5)),
    ((2, 1.0, 0.5), (3, 2.0, 0.1)),
    ((2, 1.0, 0.001), (900, 1.1, 40.0)),
    ((100, 0.2, 1.5), (120, 0.21, 1.7)),
    ((50_000, 12.0, 80.0), (5_000, 13.0, 95.0)),
    ((MANY, 3.0, 10.0), (MANY, 3.01, 10.0)),
    ((MANY, 3.0, 10.0), (MANY, 3.1, 12.0)),
    ((MANY, 3.0, 0.0), (30, 3.5, 2.0)),
]


def named(counts: Counts) -> str:
    return "_".join(map(str, counts))


def sample(n: int, mean: float, sd: float) -> Sample:
    return Sample(n=n, total=n * mean, squares=(n - 1) * sd**2 + n * mean**2)


class TestTwoProportion:
    @pytest.mark.parametrize("counts", USUAL, ids=named)
    def test_has_the_p_value_of_the_pooled_z(self, counts: Counts) -> None:
        x0, n0, x1, n1 = counts

        compared = two_proportion(*counts, 0.05)

        _, p_value = proportion.proportions_ztest([x0, x1], [n0, n1])
        assert compared.method is Method.POOLED_Z
        assert compared.p_value == pytest.approx(p_value, rel=1e-6)

    @pytest.mark.parametrize("counts", FEW, ids=named)
    def test_has_the_p_value_of_fisher_where_few_are_expected(self, counts: Counts) -> None:
        x0, n0, x1, n1 = counts

        compared = two_proportion(*counts, 0.05)

        _, p_value = stats.fisher_exact(np.array([[x0, n0 - x0], [x1, n1 - x1]]))
        assert compared.method is Method.FISHER
        assert compared.p_value == pytest.approx(p_value, rel=1e-6)

    @pytest.mark.parametrize("counts", USUAL + FEW, ids=named)
    @pytest.mark.parametrize("alpha", [0.2, 0.05, 0.001])
    def test_has_the_interval_of_newcombe(self, counts: Counts, alpha: float) -> None:
        x0, n0, x1, n1 = counts

        compared = two_proportion(*counts, alpha)

        theirs = proportion.confint_proportions_2indep(
            x1, n1, x0, n0, method="newcomb", compare="diff", alpha=alpha
        )
        assert compared.diff_ci == pytest.approx(theirs, rel=1e-6, abs=1e-9)

    @pytest.mark.parametrize("counts", RATIOS, ids=named)
    @pytest.mark.parametrize("alpha", [0.2, 0.05, 0.001])
    def test_has_the_score_interval_of_the_ratio(self, counts: Counts, alpha: float) -> None:
        x0, n0, x1, n1 = counts

        compared = two_proportion(*counts, alpha)

        assert compared.lift_ci is not None
        for limit in compared.lift_ci:
            if limit > -1:
                theirs = proportion.score_test_proportions_2indep(
                    x1, n1, x0, n0, value=limit + 1, compare="ratio", correction=False
                )
                assert theirs.pvalue == pytest.approx(alpha, rel=1e-6)


class TestWelch:
    @pytest.mark.parametrize(("control", "challenger"), ARMS)
    def test_is_the_t_test_of_unequal_variances(
        self, control: tuple[int, float, float], challenger: tuple[int, float, float]
    ) -> None:
        compared = welch(sample(*control), sample(*challenger), 0.05)

        theirs = stats.ttest_ind_from_stats(
            *challenger[1:], challenger[0], *control[1:], control[0], equal_var=False
        )
        assert compared.p_value == pytest.approx(theirs.pvalue, rel=1e-6)

    def test_has_its_interval(self) -> None:
        control = np.array([3.0, 5.5, 1.0, 0.0, 9.5])
        challenger = np.array([4.0, 8.5, 7.0, 12.0])

        compared = welch(summed(control), summed(challenger), 0.1)

        theirs = stats.ttest_ind(challenger, control, equal_var=False).confidence_interval(0.9)
        assert compared.diff_ci == pytest.approx((theirs.low, theirs.high), rel=1e-6)


def summed(values: np.ndarray) -> Sample:
    return Sample(n=len(values), total=float(values.sum()), squares=float((values**2).sum()))


class TestHolm:
    @pytest.mark.parametrize(
        "p_values", [[0.01], [0.04, 0.01], [0.03, 0.02, 0.9], [0.5, 0.6, 1e-300], [0.01] * 4]
    )
    def test_adjusts_alike(self, p_values: list[float]) -> None:
        theirs = multitest.multipletests(p_values, method="holm")[1]

        assert holm(p_values) == pytest.approx(list(theirs), rel=1e-12)


SPLITS = [
    ([120, 120], [50.0, 50.0]),
    ([5_000, 5_400], [1.0, 1.0]),
    ([3, 0], [1.0, 1.0]),
    ([340, 320, 400], [1.0, 1.0, 2.0]),
    ([900, 120], [7.0, 1.0]),
    ([5_000_000, 5_020_000], [1.0, 1.0]),
    ([2_500_000, 2_501_000, 4_999_000], [0.25, 0.25, 0.5]),
]


class TestSrm:
    @pytest.mark.parametrize(("observed", "weights"), SPLITS)
    def test_is_a_chi_square_test(self, observed: list[int], weights: list[float]) -> None:
        found = srm(observed, weights)

        expected = sum(observed) * np.array(weights) / sum(weights)
        assert found.p_value == pytest.approx(stats.chisquare(observed, expected).pvalue, rel=1e-6)
        assert found.expected == pytest.approx(list(expected), rel=1e-12)

    @pytest.mark.parametrize(("observed", "weights"), SPLITS)
    def test_weighs_two_models_of_the_same_counts(
        self, observed: list[int], weights: list[float]
    ) -> None:
        found = srm(observed, weights)

        shares = np.array(weights) / sum(weights)
        users = np.array(sum(observed))
        mixed = stats.dirichlet_multinomial(CONCENTRATION * shares, users)
        fixed = stats.multinomial(users, shares)
        log_factor = mixed.logpmf(observed) - fixed.logpmf(observed)
        assert log(found.sequential_p_value) == pytest.approx(min(0, -log_factor), abs=1e-6)


class TestRequiredSample:
    @pytest.mark.parametrize("baseline", [0.001, 0.05, 0.4, 0.8])
    @pytest.mark.parametrize(("mde", "chance", "alpha"), [(0.1, 0.8, 0.05), (-0.2, 0.95, 0.01)])
    def test_is_rounded_up(self, baseline: float, mde: float, chance: float, alpha: float) -> None:
        theirs = proportion.samplesize_proportions_2indep_onetail(
            baseline * mde, baseline, chance, alpha=alpha
        )

        assert required_sample(baseline, mde, chance, alpha) == int(np.ceil(theirs))

    @pytest.mark.parametrize(("mean", "sd"), [(10.0, 30.0), (0.04, 0.5), (-3.0, 1.0)])
    def test_of_means_is_rounded_up(self, mean: float, sd: float) -> None:
        theirs = power.normal_sample_size_one_tail(mean * 0.05, 0.8, 0.05 / 2, std_null=sd * 2**0.5)

        assert required_sample_mean(mean, sd, 0.05, 0.8, 0.05) == int(np.ceil(theirs))


def heat_left(level: float, points: int = 80) -> float:
    """Return how much heat stays inside ±``level``, by the heat equation and no series at all."""
    spread, nodes = _chebyshev(points)
    inside = slice(1, -1)
    second = (spread @ spread)[inside, inside] / (2 * level**2)
    kept = linalg.expm(second) @ np.ones(points - 1)
    return float(kept[np.argmin(abs(nodes[inside]))])


def _chebyshev(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrix that differentiates on Chebyshev's points, and those points."""
    nodes = np.cos(np.pi * np.arange(points + 1) / points)
    scale = np.where(np.isin(np.arange(points + 1), (0, points)), 2.0, 1.0)
    scale *= (-1.0) ** np.arange(points + 1)
    gaps = nodes[:, None] - nodes[None, :] + np.eye(points + 1)
    matrix = np.outer(scale, 1 / scale) / gaps
    return matrix - np.diag(matrix.sum(axis=1)), nodes


class TestCrossing:
    @pytest.mark.parametrize("level", [0.4, 0.7, 0.999999, 1.0, 1.5, 2.2414027, 3.5])
    def test_is_heat_lost_through_both_ends(self, level: float) -> None:
        assert crossing(level) == pytest.approx(1 - heat_left(level), abs=1e-8)

    @pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01, 0.001])
    def test_is_crossed_at_the_boundary_in_alpha_of_all_cases(self, alpha: float) -> None:
        assert 1 - heat_left(boundary(alpha)) == pytest.approx(alpha, abs=1e-8)


class TestChanceToWin:
    @pytest.mark.parametrize(
        "counts",
        [
            (0, 0, 0, 0),
            (0, 3, 3, 3),
            (20, 120, 48, 120),
            (0, 10, 0, 40),
            (50, 1_000, 60, 900),
            (500_000, MANY, 500_900, MANY),
        ],
        ids=named,
    )
    def test_is_the_integral_over_both_posteriors(self, counts: Counts) -> None:
        x0, n0, x1, n1 = counts
        control, challenger = stats.beta(1 + x0, 1 + n0 - x0), stats.beta(1 + x1, 1 + n1 - x1)
        around = challenger.ppf([1e-15, 1e-6, 0.5, 1 - 1e-6, 1 - 1e-15])

        theirs = sum(
            integrate.quad(lambda p: challenger.pdf(p) * control.cdf(p), low, high)[0]
            for low, high in pairwise(around)
        )

        assert chance_to_win(*counts) == pytest.approx(theirs, abs=1e-8)
