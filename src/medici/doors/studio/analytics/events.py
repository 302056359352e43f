"""Events that apps and servers report, one by one or many at once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics.errors import NothingAcceptable, NotReadable, TooManyEvents
from medici.domain.analytics.intake import Rejection, Reporter, judge
from medici.domain.events.facts import Fact
from medici.domain.events.service import record_new
from medici.domain.identity.errors import ForbiddenUserScope
from medici.doors.http.auth import Caller, OwnerOrOperator, bearer, bearer_token, caller
from medici.doors.http.context import resources_of
from medici.doors.http.hot import HotRoute, json_response, quickly
from medici.doors.studio.analytics.schemas import (
    MOST_EVENTS,
    AcceptedOut,
    EventIn,
    RejectedOut,
)
from medici.doors.studio.rendering.admissions import KeyedSession
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.group import Batcher
from medici.kernel.errors import MediciError
from medici.kernel.money import loads_exact
from medici.resources import Resources

INTAKE = "analytics_intake"
FOREIGN = "forbidden_user_scope"
TIME = TypeAdapter(datetime)
EVENT = EventIn.model_json_schema()
BATCH = {
    "type": "object",
    "required": ["events"],
    "properties": {
        "events": {"type": "array", "minItems": 1, "maxItems": MOST_EVENTS, "items": EVENT},
        "sent_at": {"type": "string", "format": "date-time"},
    },
}
# Described by hand, since the events of a batch are judged one by one.
BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"oneOf": [EVENT, BATCH]}}},
}

router = APIRouter(prefix="/v1/analytics", tags=["analytics"], route_class=HotRoute)


class Intake:
    """Where the facts of requests wait for the transaction that they share."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._batcher: Batcher[Sequence[Fact], Sequence[bool]] = Batcher(self._together)

    async def take(self, facts: Sequence[Fact], keyed: AsyncSession | None) -> Sequence[bool]:
        """Record facts, in their request's own transaction if it has one; tell which are new."""
        if keyed is None:
            return await self._batcher.submit(facts)
        return await record_new(await driver_of(keyed), facts, now=self._resources.now())

    async def _together(
        self, many: Sequence[Sequence[Fact]]
    ) -> Sequence[Sequence[bool] | MediciError]:
        now = self._resources.now()
        facts = [fact for each in many for fact in each]
        new = iter(
            await self._resources.database.carry_out(
                lambda driver: record_new(driver, facts, now=now)
            )
        )
        return [[next(new) for _ in each] for each in many]


def intake_of(request: Request) -> Intake:
    """Return the intake of this process."""
    state = request.app.state
    if not hasattr(state, INTAKE):
        setattr(state, INTAKE, Intake(resources_of(request)))
    return cast("Intake", getattr(state, INTAKE))


async def _taken_quickly(request: Request) -> Response:
    token = await bearer(request, await bearer_token(request))
    asking = await caller(request, token, request.headers.get("x-admin-token"))
    return json_response(await take_events(request, asking, intake_of(request), None))


async def _intake(request: Request) -> Intake:
    return intake_of(request)


@router.post("/events", openapi_extra={"requestBody": BODY})
@quickly(_taken_quickly)
async def take_events(
    request: Request,
    asking: OwnerOrOperator,
    intake: Annotated[Intake, Depends(_intake)],
    keyed: KeyedSession,
) -> AcceptedOut:
    """Take one event, or ``{"events": [...]}`` with up to 500, each judged by itself.

    Users report what they did themselves; operators may report about anybody, and what they report
    counts like our own. An event may be up to 30 days old and up to an hour ahead. An
    ``event_id`` that was seen before is a duplicate and changes nothing. 422
    ``no_acceptable_event`` tells why where nothing could be taken.
    """
    raw, sent_at = _read(await request.body())
    now = resources_of(request).now()
    reporter = _reporter(asking)
    behind = _behind(sent_at, now)
    judged = [_judged(each, reporter, now, behind) for each in raw]
    facts = [each for each in judged if isinstance(each, Fact)]
    rejected = [
        RejectedOut(index=index, code=each.code, field=each.field)
        for index, each in enumerate(judged)
        if isinstance(each, Rejection)
    ]
    if not facts:
        if {each.code for each in rejected} == {FOREIGN}:
            raise ForbiddenUserScope
        raise NothingAcceptable([each.model_dump() for each in rejected])
    new = sum(await intake.take(facts, keyed))
    return AcceptedOut(ingested=new, duplicates=len(facts) - new, rejected=rejected)


def _read(body: bytes) -> tuple[list[object], object]:
    """Return the events of a body, unread, and when they were sent by the sender's clock."""
    decoded = loads_exact(body)
    if not isinstance(decoded, dict):
        raise NotReadable("expected an event, or an object with events")
    sent_at = decoded.get("sent_at")
    if "events" not in decoded:
        return [decoded], sent_at
    events = decoded["events"]
    if not isinstance(events, list) or not events:
        raise NotReadable("events is a list of at least one event")
    if len(events) > MOST_EVENTS:
        raise TooManyEvents(f"at most {MOST_EVENTS} events come in one request")
    return events, sent_at


def _reporter(asking: Caller) -> Reporter:
    if asking.operator is not None or asking.user is None:
        return Reporter()
    return Reporter(user_id=asking.user.id, platform=_known(asking.user.platform))


def _known(platform: str | None) -> str | None:
    return platform if platform in {"ios", "android", "web", "server"} else None


def _behind(sent_at: object, now: datetime) -> timedelta:
    if sent_at is None:
        return timedelta()
    try:
        sent = TIME.validate_python(sent_at)
    except ValidationError as error:
        raise NotReadable("sent_at is a time such as 2026-01-31T12:00:00Z") from error
    return now - (sent if sent.tzinfo else sent.replace(tzinfo=UTC))


def _judged(raw: object, reporter: Reporter, now: datetime, behind: timedelta) -> Fact | Rejection:
    try:
        told = EventIn.model_validate(raw)
    except ValidationError as error:
        return _unreadable(error.errors(include_url=False, include_input=False)[0])
    return judge(told, reporter, now=now, behind=behind)


def _unreadable(error: Mapping[str, object]) -> Rejection:
    """Name the first field that does not fit."""
    place = cast("tuple[object, ...]", error["loc"])
    field = str(place[0]) if place else None
    code = "field_required" if error["type"] == "missing" else "invalid"
    return Rejection(code=code, field=field)
