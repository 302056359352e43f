"""Routes to try the shared machinery with: each leaves a trace, then ends as it is told."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session
from starlette.responses import StreamingResponse

from medici.domain.identity.models import AuditEntry
from medici.domain.identity.principal import SYSTEM
from medici.domain.identity.service import record_audit
from medici.doors.http.auth import CurrentUser, CurrentUserOptional, Operator, OwnerOrOperator
from medici.doors.http.context import Now
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.sessions import DbSession
from medici.kernel.db.database import Database
from medici.kernel.db.errors import DatabaseUnavailable
from medici.kernel.db.following import after_commit
from medici.kernel.errors import Kind, MediciError

PATH = "/v1/trial/effects"


async def effects(database: Database) -> int:
    """Count the traces that were committed."""
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(AuditEntry)) or 0


class TooLate(MediciError):
    kind = Kind.CONFLICT
    code = "too_late"

    def details(self) -> dict[str, object]:
        return {"since": "yesterday"}


class NotYours(MediciError):
    kind = Kind.FORBIDDEN
    code = "not_yours"


class TooOften(MediciError):
    kind = Kind.RATE_LIMITED
    code = "too_often"
    retry_after_seconds = 2.2


class EffectIn(BaseModel):
    """What the route does after it has left its trace."""

    end: Literal["well", "refused", "forbidden", "too_often", "away", "fault", "lost_commit"] = (
        "well"
    )
    note: str = ""


class EffectOut(BaseModel):
    number: int


@dataclass
class Trial:
    """What the routes did, and a gate at which they wait while it is shut."""

    began: int = 0
    rung: list[str] = field(default_factory=list)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1/trial", route_class=IdempotentRoute)

        @router.post("/effects", status_code=201)
        async def leave_effect(
            body: EffectIn, user: CurrentUserOptional, session: DbSession, now: Now
        ) -> EffectOut:
            self.began += 1
            number = self.began
            await _leave_trace(session, number, now)
            after_commit(session, lambda: self.rung.append(f"effect {number}"))
            self.entered.set()
            await self.gate.wait()
            if body.end == "lost_commit":
                event.listen(session.sync_session, "before_commit", _lose)
            if body.end in ENDS:
                raise ENDS[body.end]
            return EffectOut(number=number)

        @router.post("/stream")
        async def stream(user: CurrentUser, session: DbSession) -> StreamingResponse:
            return StreamingResponse(iter([b"a", b"b"]))

        @router.get("/operator")
        async def for_operators(operator: Operator) -> dict[str, str]:
            return {"actor": operator.actor}

        @router.get("/users/{user_id}")
        async def for_owner(user_id: str, caller: OwnerOrOperator) -> dict[str, str]:
            return {"for": caller.acts_for(user_id)}

        return router


ENDS: dict[str, Exception] = {
    "refused": TooLate("too late"),
    "forbidden": NotYours("not yours"),
    "too_often": TooOften("too often"),
    "away": DatabaseUnavailable(),
    "fault": RuntimeError("SELECT secret FROM /etc/passwd"),
}


async def _leave_trace(session: DbSession, number: int, now: datetime) -> None:
    await record_audit(
        session, action="trial", operator=SYSTEM, target=("trial", str(number)), now=now
    )


def _lose(_session: Session) -> None:
    raise ConnectionResetError("the database went away at the last moment")
