"""What stores sent us, for operators: each message, what proved it, and what became of it."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from medici.adapters.payments.news import AuthMode, Source
from medici.domain.inbox import queries
from medici.domain.inbox.models import MessageStatus, WebhookEvent
from medici.domain.inbox.sealing import NEWS
from medici.doors.http.auth import Operator
from medici.doors.http.context import AppResources
from medici.doors.http.paging import Cursor, Limit, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.listing import NEXT_CURSOR, id_in
from medici.doors.studio.selling.schemas import StoreId
from medici.kernel.environment import Environment
from medici.kernel.incoming import Moment

router = APIRouter(prefix="/v1/admin/webhook-events", tags=["store webhooks"])


class MessageOut(BaseModel):
    """One message. ``auth_mode`` is what proved it: ``native``, ``relay``, ``open`` and so on."""

    id: UUID
    source: Source
    environment: Environment
    event_id: str
    event_type: str
    event_time: datetime
    received_at: datetime
    auth_mode: AuthMode
    status: MessageStatus
    attempts: int
    remark: str | None
    processed_at: datetime | None

    @classmethod
    def of(cls, row: WebhookEvent) -> "MessageOut":
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class MessageInFullOut(BaseModel):
    """A message with what was read out of it."""

    message: MessageOut
    told: dict[str, object]


@router.get("")
async def list_messages(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    source: Source | None = None,
    environment: Environment | None = None,
    status: MessageStatus | None = None,
    event_type: StoreId | None = None,
    event_id: StoreId | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> list[MessageOut]:
    """List messages, newest first; ``X-Next-Cursor`` leads to the next page."""
    wanted = queries.Wanted(
        source=source,
        environment=environment,
        status=status,
        event_type=event_type,
        event_id=event_id,
        since=since,
        until=until,
    )
    rows = await queries.messages(session, wanted, limit=limit + 1, before=id_in(cursor))
    if len(rows) > limit:
        response.headers[NEXT_CURSOR] = encode_cursor(str(rows[limit - 1].id))
    return [MessageOut.of(row) for row in rows[:limit]]


@router.get("/{message_id}")
async def message_in_full(
    message_id: UUID, _operator: Operator, session: ReadSession, resources: AppResources
) -> MessageInFullOut:
    """Show one message with what it told; 404 ``message_not_found``."""
    found = await queries.message(session, message_id)
    told = NEWS.dump_python(queries.told(found, resources.keys), mode="json")
    return MessageInFullOut(message=MessageOut.of(found), told=told)
