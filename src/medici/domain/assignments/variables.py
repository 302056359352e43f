"""What operators can tune about assignment while everything runs."""

from typing import Any

from medici.domain.plans.variables import Tunable

HOLDOUT_PERCENT = Tunable(
    key="experiment_holdout_percent",
    default=0.0,
    minimum=0,
    maximum=20,
    description="The share of users, in percent, that no experiment touches.",
)
TUNABLES: tuple[Tunable[Any], ...] = (HOLDOUT_PERCENT,)
