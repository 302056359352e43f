"""What operators can tune about entitlements while everything runs."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.policy import StorePolicy
from medici.domain.plans.queries import load_variables
from medici.domain.plans.variables import Tunable

RENEWAL_LEEWAY_SECONDS = Tunable(
    key="entitlement_renewal_leeway_seconds",
    default=0,
    minimum=0,
    maximum=7 * 24 * 60 * 60,
    description="How long a purchase that renews lasts beyond its end while its store is silent.",
)
FEATURES_UNION = Tunable(
    key="entitlement_features_union",
    default=False,
    description="Whether a user has the features of every plan that they pay for, or of the best.",
)
TUNABLES = (RENEWAL_LEEWAY_SECONDS, FEATURES_UNION)


async def tuned(session: AsyncSession, policy: StorePolicy) -> StorePolicy:
    """Return a policy with what operators have tuned."""
    leeway = (await load_variables(session))[RENEWAL_LEEWAY_SECONDS]
    return replace(policy, leeway=timedelta(seconds=leeway))
