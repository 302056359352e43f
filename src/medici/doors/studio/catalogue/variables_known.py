"""Every variable that some code reads, put together from the capabilities that read them."""

from medici.domain.assignments import variables as assignments
from medici.domain.billing import variables as entitlements
from medici.domain.billing.credit_news import sweeps as credit_news
from medici.domain.experiments import variables as experiments
from medici.domain.insights import alerts
from medici.domain.plans import variables as plans
from medici.domain.plans.models import Scalar
from medici.domain.plans.variables import Tunables, Variables

FOR_APPS = Tunables.of(plans.TUNABLES, credit_news.TUNABLES, entitlements.TUNABLES)
KNOWN = Tunables.of(FOR_APPS, alerts.TUNABLES, assignments.TUNABLES, experiments.TUNABLES)
FOR_OPERATORS = KNOWN.by_key.keys() - FOR_APPS.by_key.keys()


def shown_to_apps(variables: Variables) -> dict[str, Scalar]:
    """Return what variables count as now, without those that only the operator's reports read."""
    counting = KNOWN.in_effect(variables)
    return {key: value for key, value in counting.items() if key not in FOR_OPERATORS}
