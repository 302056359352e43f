"""Less noise, by what users did before: CUPED (Deng et al., 2013)."""

from medici.domain.experiments.stats.means import variance_of
from medici.domain.experiments.stats.values import CupedSample, Sample


def cuped(control: CupedSample, challenger: CupedSample) -> tuple[Sample, Sample]:
    """Return both arms with each value less ``theta`` times what its user's past was above average.

    ``theta`` and the average past are those of all users together, so that the expected difference
    stays as it is; where no past differs, every value does. For ``welch``, whose lift then is of
    the adjusted mean of control.
    """
    arms = (control, challenger)
    users = control.n + challenger.n
    post, pre = sum(arm.post for arm in arms), sum(arm.pre for arm in arms)
    average = pre / users if users else 0.0
    varies = variance_of(users, pre, sum(arm.pre_sq for arm in arms)) if users > 1 else 0.0
    together = sum(arm.cross for arm in arms) - post * average
    theta = together / (users - 1) / varies if varies else 0.0
    return _adjusted(control, theta, average), _adjusted(challenger, theta, average)


def _adjusted(arm: CupedSample, theta: float, average: float) -> Sample:
    """Return the sums of post - theta * (pre - average), and of its squares."""
    past = arm.pre - arm.n * average
    past_sq = arm.pre_sq - 2 * average * arm.pre + arm.n * average * average
    together = arm.cross - average * arm.post
    squares = arm.post_sq - 2 * theta * together + theta * theta * past_sq
    return Sample(n=arm.n, total=arm.post - theta * past, squares=squares)
