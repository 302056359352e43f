"""Provider settings as they were: versions, what changed between them, who did what. Operators."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field, JsonValue

from medici.domain.identity.models import AuditEntry
from medici.domain.identity.queries import audit_trail
from medici.domain.routing import history
from medici.domain.routing.changes import ChangeKind
from medici.domain.routing.drafting import NOUN
from medici.doors.http.auth import Operator
from medici.doors.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.listing import NEXT_CURSOR, id_in
from medici.doors.studio.routing.schemas import HIGHEST, VersionOut, WholeVersionOut

router = APIRouter(prefix="/v1/admin/provider-settings", tags=["provider settings"])

Place = Annotated[int, Field(ge=1, le=HIGHEST)] | Literal["draft"]


class SettingsChangeOut(BaseModel):
    """A field that differs; ``path`` is a JSON pointer to it."""

    path: str
    kind: ChangeKind
    before: JsonValue
    after: JsonValue


class DiffOut(BaseModel):
    """What leads from one to the other."""

    source: int | Literal["draft"] = Field(serialization_alias="from")
    target: int | Literal["draft"] = Field(serialization_alias="to")
    changes: list[SettingsChangeOut]


class SettingsAuditOut(BaseModel):
    """One act. ``actor`` is the name given with it.

    ``metadata`` tells what was changed, and under ``operator`` and ``proof`` who did it by our own
    knowledge.
    """

    id: UUID
    action: str
    actor: str
    reason: str | None
    created_at: datetime
    metadata: dict[str, object]

    @classmethod
    def of(cls, entry: AuditEntry) -> "SettingsAuditOut":
        after = entry.after or {}
        actor, metadata = after.get("actor"), after.get("metadata")
        return cls(
            id=entry.id,
            action=entry.action,
            actor=actor if isinstance(actor, str) else entry.actor,
            reason=entry.reason,
            created_at=entry.at,
            metadata={
                **(metadata if isinstance(metadata, dict) else {}),
                "operator": entry.actor,
                "proof": entry.proof,
                "request_id": entry.request_id,
            },
        )


@router.get("/versions")
async def list_versions(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> list[VersionOut]:
    """List the versions, newest first.

    While there are older ones, the header ``X-Next-Cursor`` holds what to send as ``cursor``.
    """
    found = await history.versions(session, limit=limit + 1, before=_number_in(cursor))
    if len(found) > limit:
        response.headers[NEXT_CURSOR] = encode_cursor(found[limit - 1].version)
    return [VersionOut.of(each) for each in found[:limit]]


@router.get("/versions/{version}")
async def show_version(
    version: Annotated[int, Path(ge=1, le=HIGHEST)], _operator: Operator, session: ReadSession
) -> WholeVersionOut:
    """Show one version whole; 404 ``provider_settings_version_not_found``."""
    return WholeVersionOut.whole(await history.version(session, version))


@router.get("/diff")
async def show_diff(
    _operator: Operator,
    session: ReadSession,
    source: Annotated[Place, Query(alias="from")],
    target: Annotated[Place, Query(alias="to")] = "draft",
) -> DiffOut:
    """Tell field by field what leads from one version to another, or to the draft."""
    changes = await history.diff(session, source=source, target=target)
    return DiffOut(
        source=source,
        target=target,
        changes=[
            SettingsChangeOut(path=each.path, kind=each.kind, before=each.before, after=each.after)
            for each in changes
        ],
    )


@router.get("/audit")
async def list_audit(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> list[SettingsAuditOut]:
    """List what was done to the settings, newest first; pages as the versions do."""
    found = await audit_trail(session, target_kinds=(NOUN,), limit=limit + 1, before=id_in(cursor))
    if len(found) > limit:
        response.headers[NEXT_CURSOR] = encode_cursor(str(found[limit - 1].id))
    return [SettingsAuditOut.of(each) for each in found[:limit]]


def _number_in(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    (number,) = decode_cursor(cursor, int)
    return int(number or 0)
