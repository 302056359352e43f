"""Files: those that users leave for a day, and the pictures that predictions made."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from aiohttp import web

from medici.fakes.faults import Fault, FaultKind
from medici.fakes.forms import form_parts
from medici.fakes.pictures import NO_PICTURE, picture_of
from medici.fakes.plane import Plane
from medici.fakes.replicate.addresses import base_of
from medici.fakes.replicate.predictions import Predictions, Status
from medici.fakes.replicate.problems import invalid, not_found

KEPT_FOR = timedelta(hours=24)
ELSEWHERE = "https://elsewhere.invalid/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    id: str
    name: str
    content_type: str
    data: bytes
    created_at: datetime

    def told(self, base: str) -> dict[str, Any]:
        digest = sha256(self.data).hexdigest()
        return {
            "id": self.id,
            "name": self.name,
            "content_type": self.content_type,
            "size": len(self.data),
            "etag": digest[:32],
            "checksums": {"sha256": digest},
            "metadata": {},
            "created_at": self.created_at.isoformat(),
            "expires_at": (self.created_at + KEPT_FOR).isoformat(),
            "urls": {"get": f"{base}/v1/files/{self.id}"},
        }


class Uploads:
    """What users left here."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._stored: dict[str, Stored] = {}

    async def create(self, request: web.Request, _fault: Fault) -> web.Response:
        content = next((p for p in await form_parts(request) if p.name == "content"), None)
        if content is None:
            return invalid("content", "content is required")
        stored = Stored(
            id=self._plane.new_id(),
            name=content.filename or "file",
            content_type=content.content_type,
            data=content.data,
            created_at=self._plane.now(),
        )
        self._stored[stored.id] = stored
        return web.json_response(stored.told(base_of(request)), status=201)

    async def list(self, request: web.Request, _fault: Fault) -> web.Response:
        told = [stored.told(base_of(request)) for stored in self._stored.values()]
        return web.json_response({"previous": None, "next": None, "results": told})

    async def get(self, request: web.Request, _fault: Fault) -> web.Response:
        stored = self._stored.get(request.match_info["id"])
        if stored is None or self._plane.now() > stored.created_at + KEPT_FOR:
            return not_found()
        return web.json_response(stored.told(base_of(request)))

    async def delete(self, request: web.Request, _fault: Fault) -> web.Response:
        gone = self._stored.pop(request.match_info["id"], None)
        return web.Response(status=204) if gone else not_found()


class Pictures:
    """What predictions made; anybody may fetch it who knows the address."""

    def __init__(self, predictions: Predictions) -> None:
        self._predictions = predictions

    async def get(self, request: web.Request, fault: Fault) -> web.Response:
        work = self._predictions.find(request.match_info["id"])
        if work is None or self._predictions.status(work) is not Status.SUCCEEDED:
            return web.Response(status=404)
        wrong = fault if fault.kind is not FaultKind.OK else work.fault
        if wrong.kind is FaultKind.EXPIRED_URL or self._predictions.removed(work):
            return web.Response(status=404)
        if wrong.kind is FaultKind.REDIRECT_OTHER_ORIGIN:
            location = wrong.headers.get("Location", ELSEWHERE)
            return web.Response(status=302, headers={"Location": location})
        if wrong.kind is FaultKind.BAD_IMAGE_BYTES:
            return web.Response(body=NO_PICTURE, content_type="image/png")
        return web.Response(body=picture_of(work.id), content_type="image/png")
