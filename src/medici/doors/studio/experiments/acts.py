"""An operator's act on experiments: who, in whose name, and why."""

from typing import Annotated

from fastapi import Depends

from medici.domain.experiments.audit import Act
from medici.doors.http.auth import Operator
from medici.doors.http.context import Now, RequestId
from medici.doors.studio.catalogue.acts import ActorName, ActReason

DASHBOARD = "dashboard"  # who signs where nobody does


async def _act(
    operator: Operator,
    now: Now,
    request_id: RequestId,
    actor: ActorName = None,
    reason: ActReason = None,
) -> Act:
    # A form that was left empty sends an empty text.
    return Act(
        operator=operator,
        actor=actor or DASHBOARD,
        reason=reason or "",
        request_id=request_id,
        now=now,
    )


ExperimentAct = Annotated[Act, Depends(_act)]
