"""What operators do to outgoing webhooks, and that it is written down."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from medici.domain.identity.service import record_audit
from medici.domain.notices.errors import EndpointNotFound
from medici.doors.http.auth import Operator
from medici.doors.http.context import Now, RequestId
from medici.doors.http.paging import InvalidCursor, decode_cursor
from medici.doors.http.sessions import DbSession
from medici.kernel.ids import parse_id

TARGET = "webhook_endpoint"

Reason = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]


async def known_id(endpoint_id: str) -> UUID:
    """Read an endpoint's id; what is none is an endpoint that nobody has."""
    found = parse_id(endpoint_id)
    if found is None:
        raise EndpointNotFound
    return found


EndpointId = Annotated[UUID, Depends(known_id)]


class Acting:
    """An operator's act on endpoints, audited in the transaction that performs it."""

    def __init__(
        self,
        operator: Operator,
        session: DbSession,
        now: Now,
        request_id: RequestId,
        reason: Reason = None,
    ) -> None:
        self.session, self.now = session, now
        self._operator, self._request_id, self._reason = operator, request_id, reason

    async def record(
        self,
        action: str,
        endpoint_id: UUID,
        *,
        before: dict[str, object] | None = None,
        after: dict[str, object] | None = None,
    ) -> None:
        await record_audit(
            self.session,
            action=action,
            operator=self._operator,
            reason=self._reason,
            target=(TARGET, str(endpoint_id)),
            request_id=self._request_id,
            before=before,
            after=after,
            now=self.now,
        )


Act = Annotated[Acting, Depends()]


def place_in(cursor: str | None) -> UUID | None:
    """Return the id that a page of a list begins behind."""
    if cursor is None:
        return None
    found = parse_id(str(decode_cursor(cursor, str)[0]))
    if found is None:
        raise InvalidCursor
    return found
