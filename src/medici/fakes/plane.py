"""The control plane that every fake has: faults, time, ids, and a memory of what was asked."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeAlias
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from medici.fakes.faults import Fault, FaultKind, FaultPlan, Rule

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
FaultyHandler: TypeAlias = Callable[[web.Request, Fault], Awaitable[web.StreamResponse]]
FOREVER_SECONDS = 3600
PIECES = 10  # of a body that comes slowly
RULES = TypeAdapter(list[Rule])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came in. ``body`` is JSON where it was, else its length in bytes."""

    operation: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    fault: FaultKind


@dataclass(kw_only=True)
class Work:
    """Something that the fake took on. ``billed`` counts how often it was charged for."""

    id: str
    model: str
    input: Any
    fault: Fault
    created_at: datetime
    billed: int = 0
    canceled: bool = False
    looks: int = 0  # how often somebody asked how far it is


@dataclass
class Plane:
    """Shared by the handlers of one fake; ``seed`` makes its ids repeatable."""

    seed: int = 0
    faults: FaultPlan = field(default_factory=FaultPlan)
    asked: list[Asked] = field(default_factory=list)
    work: dict[str, Work] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)  # noqa: S311 - ids that repeat are the point
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        self._ahead += by

    def new_id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def new_seed(self) -> int:
        return self._random.randrange(1_000_000)

    @property
    def billed(self) -> int:
        """How many pictures were charged for."""
        return sum(work.billed for work in self.work.values())

    def take(self, *, model: str, given: Any, fault: Fault, billed: int = 1) -> Work:
        """Take work on; it is charged from the start, as far as it is charged at all."""
        work = Work(
            id=self.new_id(),
            model=model,
            input=given,
            fault=fault,
            created_at=self.now(),
            billed=billed,
        )
        self.work[work.id] = work
        return work

    def operation(self, name: str, handler: FaultyHandler) -> Handler:
        """Wrap a handler, so that its calls are remembered and suffer what was planned."""

        async def suffering(request: web.Request) -> web.StreamResponse:
            fault = self.faults.next_fault(name)
            if fault.kind is FaultKind.RESET_BEFORE_BODY:
                return _cut(request)
            self.asked.append(await _noted(name, request, fault))
            if early := await _early(fault):
                return early
            response = await handler(request, fault)
            if fault.kind is FaultKind.RESET_AFTER_BODY:
                return _cut(request)
            if fault.kind is FaultKind.MALFORMED_JSON:
                return web.Response(text='{"cut": "he', content_type="application/json")
            if fault.kind is FaultKind.SLOW_BODY:
                return await _trickled(request, response, seconds=fault.milliseconds / 1000)
            return response

        return suffering

    def install(self, app: web.Application) -> None:
        """Add the plane's own routes."""
        app.router.add_post("/__fake/faults", self._set_faults)
        app.router.add_get("/__fake/requests", self._tell_requests)
        app.router.add_get("/__fake/work", self._tell_work)
        app.router.add_post("/__fake/clock", self._set_clock)

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            rules = RULES.validate_json(await request.read())
        except ValidationError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from error
        self.faults.set(*rules)
        return web.json_response({"rules": len(rules)})

    async def _tell_requests(self, _request: web.Request) -> web.Response:
        return web.json_response([asdict(asked) for asked in self.asked])

    async def _tell_work(self, _request: web.Request) -> web.Response:
        told = [
            {
                "id": work.id,
                "model": work.model,
                "billed": work.billed,
                "canceled": work.canceled,
                "created_at": work.created_at.isoformat(),
            }
            for work in self.work.values()
        ]
        return web.json_response({"billed": self.billed, "work": told})

    async def _set_clock(self, request: web.Request) -> web.Response:
        try:
            wanted = Advance.model_validate_json(await request.read())
        except ValidationError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from error
        self.advance(timedelta(seconds=wanted.advance_seconds))
        return web.json_response({"now": self.now().isoformat()})


class Advance(BaseModel):
    """How far the fake's clock is moved; negative turns it back."""

    advance_seconds: float


async def _noted(name: str, request: web.Request, fault: Fault) -> Asked:
    raw = await request.read()
    body: Any = len(raw)
    if request.content_type == "application/json" and raw:
        try:
            body = await request.json()
        except ValueError:
            body = raw.decode(errors="replace")
    return Asked(
        operation=name,
        method=request.method,
        path=request.path,
        query=dict(request.query),
        headers=dict(request.headers),
        body=body,
        fault=fault.kind,
    )


async def _early(fault: Fault) -> web.Response | None:
    """Answer before the work is taken, where the fault is of that kind."""
    match fault.kind:
        case FaultKind.HANG:
            await asyncio.sleep(FOREVER_SECONDS)
        case FaultKind.SLOW:
            await asyncio.sleep(fault.milliseconds / 1000)
        case FaultKind.STATUS:
            return web.json_response(fault.body, status=fault.status, headers=fault.headers)
    return None


async def _trickled(
    request: web.Request, response: web.StreamResponse, *, seconds: float
) -> web.StreamResponse:
    """Send an answer in pieces that take so long altogether."""
    whole = response.body if isinstance(response, web.Response) else b""
    body = whole if isinstance(whole, bytes) else b""
    slow = web.StreamResponse(status=response.status, headers=response.headers)
    slow.content_length = len(body)
    await slow.prepare(request)
    step = max(1, len(body) // PIECES)
    with suppress(ConnectionError):  # whoever asked does not wait any longer
        for start in range(0, len(body), step):
            await asyncio.sleep(seconds / PIECES)
            await slow.write(body[start : start + step])
        await slow.write_eof()
    return slow


def _cut(request: web.Request) -> web.Response:
    """Drop the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
