"""What operators did to the catalogue: plans, packs, styles, variables, the discover feed."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from medici.domain.identity.models import AuditEntry
from medici.domain.identity.queries import audit_trail
from medici.doors.http.auth import Operator
from medici.doors.http.paging import Cursor, Limit, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.catalogue.acts import SIGNED
from medici.doors.studio.listing import NEXT_CURSOR, id_in

Noun: TypeAlias = Literal["plan", "pack", "style", "variable", "discover_section", "discover_item"]
NOUNS: tuple[Noun, ...] = (
    "plan",
    "pack",
    "style",
    "variable",
    "discover_section",
    "discover_item",
)

router = APIRouter(prefix="/v1/admin", tags=["catalogue"])


class AuditOut(BaseModel):
    """One act. ``actor`` is the name given with it, else how the operator proved to be one.

    ``metadata`` holds ``before`` and ``after`` of the row, which row it was, and under ``operator``
    and ``proof`` who did it by our own knowledge.
    """

    id: UUID
    action: str
    actor: str
    reason: str | None
    created_at: datetime
    metadata: dict[str, object]

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditOut":
        before, after = entry.before or {}, entry.after or {}
        signed = after.get(SIGNED)
        return cls(
            id=entry.id,
            action=entry.action,
            actor=signed if isinstance(signed, str) else entry.actor,
            reason=entry.reason,
            created_at=entry.at,
            metadata={
                "kind": entry.target_kind,
                "id": entry.target_id,
                "before": before.get(entry.target_kind),
                "after": after.get(entry.target_kind),
                "operator": entry.actor,
                "proof": entry.proof,
                "request_id": entry.request_id,
            },
        )


@router.get("/product-audit")
async def product_audit(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    kind: Annotated[Noun | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> list[AuditOut]:
    """List what was changed in the catalogue, newest first.

    ``kind`` keeps one sort of thing. While there are older entries, the header ``X-Next-Cursor``
    holds what to send as ``cursor`` to see them.
    """
    entries = await audit_trail(
        session,
        target_kinds=NOUNS if kind is None else (kind,),
        limit=limit + 1,
        before=id_in(cursor),
    )
    if len(entries) > limit:
        response.headers[NEXT_CURSOR] = encode_cursor(str(entries[limit - 1].id))
    return [AuditOut.of(entry) for entry in entries[:limit]]
