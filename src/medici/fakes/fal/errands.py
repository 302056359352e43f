"""Webhooks on order: again, late, tampered with, signed by another key, or before the answer."""

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medici.fakes.fal.deliveries import Courier, Delivery, Letter
from medici.fakes.fal.progress import Pace
from medici.fakes.fal.signing import KeyAge
from medici.fakes.plane import Plane

MOST_COPIES = 100
M = TypeVar("M", bound=BaseModel)


class Errand(BaseModel):
    """One webhook to send now; without a ``request_id``, that of the newest work.

    ``age_seconds`` is how long ago it claims to have been sent, negative for the future.
    ``tampered`` changes the body after it was signed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    request_id: str | None = None
    copies: int = Field(1, ge=1, le=MOST_COPIES)
    age_seconds: float = 0
    tampered: bool = False
    key: KeyAge = KeyAge.CURRENT


class Habits(BaseModel):
    """What the fake does from now on, as far as it is said.

    ``seconds`` pass on the fake's clock from order to end. ``copies`` is how often each webhook is
    sent; without ``automatic`` ones, only those on order are. ``overtakes`` is how many of the
    next webhooks go out before the answer to their order. ``rotate`` signs with a new key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(0, ge=0)
    copies: int = Field(1, ge=1, le=MOST_COPIES)
    automatic: bool = True
    overtakes: int = Field(0, ge=0)
    rotate: bool = False


class Errands:
    """The fake's own routes beside the plane's."""

    def __init__(self, plane: Plane, pace: Pace, courier: Courier) -> None:
        self._plane = plane
        self._pace = pace
        self._courier = courier

    def install(self, app: web.Application) -> None:
        app.router.add_post("/__fake/deliver", self._deliver)
        app.router.add_post("/__fake/fal", self._set_habits)

    async def _deliver(self, request: web.Request) -> web.Response:
        """Send what is wanted and tell what the receiver answered, copy by copy."""
        errand = await _read(request, Errand)
        delivery = self._courier.delivery(errand.request_id)
        if delivery is None:
            raise web.HTTPNotFound(text="no such work asked for a webhook")
        letter = self._letter(errand, delivery)
        answers = [await self._courier.send(letter) for _ in range(errand.copies)]
        return web.json_response({"answers": answers})

    def _letter(self, errand: Errand, delivery: Delivery) -> Letter:
        body = self._courier.message(delivery.work, delivery.base)
        at = self._plane.now() - timedelta(seconds=errand.age_seconds)
        headers = self._courier.keys.headers(delivery.work.id, body, at=at, key=errand.key)
        letter = Letter(url=delivery.url, body=body, headers=headers)
        return replace(letter, body=body + b" ") if errand.tampered else letter

    async def _set_habits(self, request: web.Request) -> web.Response:
        wanted = await _read(request, Habits)
        named = wanted.model_fields_set
        if "seconds" in named:
            self._pace.seconds = wanted.seconds
        for name in named & {"copies", "automatic", "overtakes"}:
            setattr(self._courier, name, getattr(wanted, name))
        if wanted.rotate:
            self._courier.keys.rotate()
        return web.json_response(
            {
                "seconds": self._pace.seconds,
                "copies": self._courier.copies,
                "automatic": self._courier.automatic,
                "overtakes": self._courier.overtakes,
                "sent": self._courier.sent,
            }
        )


async def _read(request: web.Request, shape: type[M]) -> M:
    try:
        return shape.model_validate_json(await request.read() or b"{}")
    except ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from error
