"""What was done to experiments, by operators and by automation. Operators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from medici.domain.experiments import audit
from medici.domain.experiments.audit import Action
from medici.domain.experiments.checking import RESERVED_IDS
from medici.domain.identity.models import AuditEntry
from medici.doors.http.auth import Operator
from medici.doors.http.paging import Cursor, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.experiments.admin_schemas import Id
from medici.doors.studio.listing import NEXT_CURSOR, id_in

MOST_ENTRIES = 500

router = APIRouter(prefix="/v1/admin/experiments", tags=["experiments"])

EntryLimit = Annotated[int, Query(ge=1, le=MOST_ENTRIES)]


class ExperimentAuditOut(BaseModel):
    """One act. ``actor`` is the name given with it.

    ``metadata`` tells of which experiment and what was changed, and under ``operator`` and
    ``proof`` who did it by our own knowledge.
    """

    id: UUID
    action: str
    actor: str
    reason: str | None
    created_at: datetime
    metadata: dict[str, object]

    @classmethod
    def of(cls, entry: AuditEntry) -> "ExperimentAuditOut":
        after = entry.after or {}
        actor, metadata = after.get("actor"), after.get("metadata")
        return cls(
            id=entry.id,
            action=entry.action,
            actor=actor if isinstance(actor, str) else entry.actor,
            reason=entry.reason,
            created_at=entry.at,
            metadata={
                **_target(entry),
                **(metadata if isinstance(metadata, dict) else {}),
                "operator": entry.actor,
                "proof": entry.proof,
                "request_id": entry.request_id,
            },
        )


def _target(entry: AuditEntry) -> dict[str, str]:
    """Name the experiment, where it is one: an act on many has a reserved word for a target."""
    return {} if entry.target_id in RESERVED_IDS else {"experiment_id": entry.target_id}


@router.get("/audit")
async def list_audit(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    experiment_id: Annotated[Id | None, Query()] = None,
    action: Action | None = None,
    cursor: Cursor = None,
    limit: EntryLimit = 100,
) -> list[ExperimentAuditOut]:
    """List what was done to experiments, newest first.

    While there are older entries, the header ``X-Next-Cursor`` holds what to send as ``cursor``.
    """
    found = await audit.entries(
        session,
        limit=limit + 1,
        experiment_id=experiment_id,
        action=action,
        before=id_in(cursor),
    )
    if len(found) > limit:
        response.headers[NEXT_CURSOR] = encode_cursor(str(found[limit - 1].id))
    return [ExperimentAuditOut.of(each) for each in found[:limit]]
