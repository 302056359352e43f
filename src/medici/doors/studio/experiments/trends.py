"""How experiments came to where they are, for the operator's charts."""

from typing import Annotated

from fastapi import APIRouter, Query

from medici.domain.experiments import reading
from medici.domain.experiments.analysis.trends import Trends, trends
from medici.domain.experiments.variables import experiment_policy
from medici.doors.http.auth import Operator
from medici.doors.http.context import Now
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.experiments.admin_schemas import ExperimentId
from medici.doors.studio.experiments.performance_schemas import Hours

router = APIRouter(prefix="/v1/admin/experiments", tags=["experiments"])


@router.get("/{experiment_id}/trends")
async def experiment_trends(
    experiment_id: ExperimentId,
    _operator: Operator,
    session: ReadSession,
    now: Now,
    hours: Hours = 168,
    bucket_hours: Annotated[int, Query(ge=1, le=336)] = 24,
) -> Trends:
    """Follow each variant through the last ``hours``, in buckets of ``bucket_hours``.

    Every variant has the same buckets, also those in which nothing happened; 1,000 are the most.
    """
    experiment, _ = await reading.experiment(session, experiment_id)
    policy = await experiment_policy(session)
    return await trends(
        session, experiment, policy=policy, hours=hours, bucket_hours=bucket_hours, now=now
    )
