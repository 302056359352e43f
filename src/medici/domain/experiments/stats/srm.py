"""Were users split as they should have been? If not, no other figure can be trusted."""

from collections.abc import Sequence
from math import exp, log

from scipy.special import chdtrc, gammaln

from medici.domain.experiments.stats.values import SampleRatio

SUSPICIOUS = 0.001
FEW_EXPECTED = 5
# How firmly the mixture expects the weights: as if it had seen so many users already.
CONCENTRATION = 100


def srm(observed: Sequence[int], weights: Sequence[float]) -> SampleRatio:
    """Compare the enrolled users of each variant with its weight (sample ratio mismatch).

    Beside the chi-square test, which is for one look, stands the multinomial one of Lindon and
    Malek (2020): its p-value stays right under any number of looks. Users in a variant of weight
    zero cannot be, so both are 0. ``weights`` are not negative and may have any positive sum.
    """
    users, whole = sum(observed), sum(weights)
    shares = [weight / whole for weight in weights]
    expected = [users * share for share in shares]
    drawn = [(x, share) for x, share in zip(observed, shares, strict=True) if share > 0]
    if sum(x for x, _ in drawn) < users:
        p_value = sequential_p_value = 0.0
    else:
        p_value, sequential_p_value = _chi_square(drawn, users), _mixture(drawn, users)
    enough = min(share for _, share in drawn) * users >= FEW_EXPECTED
    return SampleRatio(
        p_value=p_value,
        sequential_p_value=sequential_p_value,
        detected=enough and p_value < SUSPICIOUS,
        expected=tuple(expected),
    )


def _chi_square(drawn: Sequence[tuple[int, float]], users: int) -> float:
    if users == 0 or len(drawn) == 1:
        return 1.0
    statistic = sum((x - users * share) ** 2 / (users * share) for x, share in drawn)
    return float(chdtrc(len(drawn) - 1, statistic))


def _mixture(drawn: Sequence[tuple[int, float]], users: int) -> float:
    """Return one over the Bayes factor of "some other split" against "the weights"."""
    log_factor = float(gammaln(CONCENTRATION) - gammaln(CONCENTRATION + users))
    for x, share in drawn:
        prior = CONCENTRATION * share
        log_factor += float(gammaln(prior + x) - gammaln(prior)) - x * log(share)
    return exp(min(0.0, -log_factor))
