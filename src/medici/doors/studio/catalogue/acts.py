"""An operator's change of the catalogue: who makes it, why, and writing it down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity import principal
from medici.domain.identity.service import record_audit
from medici.domain.plans.rules import Change
from medici.doors.http.auth import Operator
from medici.doors.http.context import Now, RequestId

SIGNED = "actor"  # where, in the audit, the name stands that a dashboard gave

ActorName = Annotated[str | None, Query(max_length=120)]
ActReason = Annotated[str | None, Query(max_length=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What goes into the audit beside the change. ``signed`` is a name without proof."""

    operator: principal.Operator
    signed: str | None
    reason: str | None
    now: datetime
    request_id: str | None

    async def record(
        self, session: AsyncSession, action: str, *, noun: str, row_id: str, change: Change
    ) -> None:
        """Write down what was done to one row, in the transaction that does it."""
        after: Mapping[str, object] = {noun: change.after, SIGNED: self.signed}
        await record_audit(
            session,
            action=action,
            operator=self.operator,
            reason=self.reason,
            target=(noun, row_id),
            before={noun: change.before},
            after=after,
            request_id=self.request_id,
            now=self.now,
        )


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
        signed=actor or None,
        reason=reason or None,
        now=now,
        request_id=request_id,
    )


OperatorAct = Annotated[Act, Depends(_act)]
