"""The routes of predictions: order, look, list, cancel."""

import asyncio
import re
from typing import Any

from aiohttp import web

from medici.fakes.faults import Fault, FaultKind
from medici.fakes.plane import Plane, Work
from medici.fakes.replicate.addresses import base_of
from medici.fakes.replicate.deliveries import COMPLETED, START, Courier
from medici.fakes.replicate.habits import Habits
from medici.fakes.replicate.predictions import Predictions
from medici.fakes.replicate.problems import invalid, not_found

HIDDEN = "hidden"  # how the vendor calls the versions of models that it does not show
FREE = frozenset({FaultKind.JOB_FAILED, FaultKind.MODERATED})
WAIT = re.compile(r"\bwait(?:=(\d+))?\b")
LONGEST_WAIT_SECONDS = 60
GLANCE_SECONDS = 0.01


class Orders:
    def __init__(
        self, plane: Plane, habits: Habits, predictions: Predictions, courier: Courier
    ) -> None:
        self._plane = plane
        self._habits = habits
        self._predictions = predictions
        self._courier = courier

    async def create_of_model(self, request: web.Request, fault: Fault) -> web.Response:
        """Order from the newest version of ``owner/name``."""
        model = f"{request.match_info['owner']}/{request.match_info['name']}"
        return await self._create(request, fault, model=model, version=HIDDEN)

    async def create_of_version(self, request: web.Request, fault: Fault) -> web.Response:
        """Order from the version that the body names."""
        version = (await _body(request)).get("version")
        if not isinstance(version, str) or not version:
            return invalid("", "version is required")
        return await self._create(request, fault, model="somebody/something", version=version)

    async def get(self, request: web.Request, _fault: Fault) -> web.Response:
        work = self._predictions.find(request.match_info["id"])
        if work is None:
            return not_found()
        work.looks += 1
        return web.json_response(self._predictions.told(work, base_of(request)))

    async def list(self, request: web.Request, _fault: Fault) -> web.Response:
        told = [self._predictions.told(work, base_of(request)) for work in self._predictions.all()]
        return web.json_response({"previous": None, "next": None, "results": told[:100]})

    async def cancel(self, request: web.Request, _fault: Fault) -> web.Response:
        work = self._predictions.find(request.match_info["id"])
        if work is None:
            return not_found()
        if self._predictions.cancel(work):
            self._courier.hasten(work)
        return web.json_response(self._predictions.told(work, base_of(request)))

    async def _create(
        self, request: web.Request, fault: Fault, *, model: str, version: str
    ) -> web.Response:
        body = await _body(request)
        given, webhook = body.get("input"), body.get("webhook")
        if not isinstance(given, dict):
            return invalid("", "input is required")
        if not isinstance(webhook, str | None):
            return invalid("webhook", "webhook must be a URL")
        work = self._plane.take(
            model=model, given=given, fault=fault, billed=0 if fault.kind in FREE else 1
        )
        self._predictions.take(work, version=version, webhook=webhook, events=_events(body))
        self._courier.expect(work, base_of(request))
        await asyncio.sleep(self._habits.answer_seconds)
        await self._wait_as_asked(request, work)
        return web.json_response(self._predictions.told(work, base_of(request)), status=201)

    async def _wait_as_asked(self, request: web.Request, work: Work) -> None:
        """Hold the answer back where the header ``Prefer`` asks for that."""
        asked = WAIT.search(request.headers.get("Prefer", ""))
        if asked is None:
            return
        seconds = min(int(asked[1] or LONGEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)
        for _ in range(int(seconds / GLANCE_SECONDS)):
            if self._predictions.status(work).is_terminal:
                return
            await asyncio.sleep(GLANCE_SECONDS)


def _events(body: dict[str, Any]) -> frozenset[str]:
    """Return the events that are told; the fake knows no others than these two."""
    wanted = body.get("webhook_events_filter")
    return frozenset(wanted) if isinstance(wanted, list) else frozenset({START, COMPLETED})


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
