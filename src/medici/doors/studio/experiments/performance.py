"""How experiments do, for the operator's dashboards."""

from fastapi import APIRouter

from medici.domain.experiments import reading
from medici.domain.experiments.analysis.performance import Performance, performance
from medici.domain.experiments.variables import experiment_policy
from medici.doors.http.auth import Operator
from medici.doors.http.context import Now
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.experiments.admin_schemas import ExperimentId
from medici.doors.studio.experiments.performance_schemas import Hours

router = APIRouter(prefix="/v1/admin/experiments", tags=["experiments"])


@router.get("/{experiment_id}/performance")
async def experiment_performance(
    experiment_id: ExperimentId,
    _operator: Operator,
    session: ReadSession,
    now: Now,
    hours: Hours = 168,
) -> Performance:
    """Describe each variant by its users of the last ``hours``, and judge it by all of the phase.

    Outcomes count from a user's first exposure on. ``p_value`` is for one look, planned beforehand;
    what is recommended rests on ``p_value_adjusted``, which by default stays right at every look.
    """
    experiment, _ = await reading.experiment(session, experiment_id)
    policy = await experiment_policy(session)
    return await performance(session, experiment, policy=policy, hours=hours, now=now)
