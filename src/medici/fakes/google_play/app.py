"""The fake of Google Play as a web application."""

import json
from base64 import b64encode
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medici.fakes.google_play.api import Api
from medici.fakes.google_play.shop import Shop
from medici.fakes.plane import Plane
from medici.fakes.serving import MOST_BODY_BYTES

PATIENCE = aiohttp.ClientTimeout(total=30)


class Wanted(BaseModel):
    """A push to send to ``url``; ``notification`` is its part such as subscriptionNotification.

    Without an ``audience`` it is the URL. ``claims`` go over those of its token.
    """

    model_config = ConfigDict(extra="forbid")

    url: str
    notification: dict[str, Any]
    audience: str | None = None
    message_id: str | None = None
    claims: dict[str, Any] = {}
    sends: int = Field(1, ge=1, le=10)


def make_app(*, seed: int) -> web.Application:
    """Build the fake as the command line starts it."""
    return google_play_app(Shop(plane=Plane(seed=seed)))


def google_play_app(shop: Shop) -> web.Application:
    """Build the fake around a shop, which may be changed while it runs."""
    app = web.Application(client_max_size=MOST_BODY_BYTES)
    shop.plane.install(app)
    for operation, method, path, handler in Api(shop).routes():
        app.router.add_route(method, path, shop.plane.operation(operation, handler))
    _Control(shop).install(app)
    return app


class _Control:
    """Scripting purchases, having pushes sent, and telling what was asked for."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def install(self, app: web.Application) -> None:
        app.router.add_put("/__fake/subscriptions/{token}", self._set_subscription)
        app.router.add_put("/__fake/products/{token}", self._set_product)
        app.router.add_post("/__fake/voided", self._add_voided)
        app.router.add_get("/__fake/fulfilled", self._tell_fulfilled)
        app.router.add_get("/__fake/service-account", self._key_file)
        app.router.add_post("/__fake/notify", self._notify)

    async def _set_subscription(self, request: web.Request) -> web.Response:
        self._shop.set_subscription(request.match_info["token"], await request.json())
        return web.json_response({"subscriptions": len(self._shop.subscriptions)})

    async def _set_product(self, request: web.Request) -> web.Response:
        self._shop.set_product(request.match_info["token"], await request.json())
        return web.json_response({"products": len(self._shop.products)})

    async def _add_voided(self, request: web.Request) -> web.Response:
        self._shop.voided.append(await request.json())
        return web.json_response({"voided": len(self._shop.voided)})

    async def _tell_fulfilled(self, _request: web.Request) -> web.Response:
        return web.json_response(self._shop.fulfilled)

    async def _key_file(self, request: web.Request) -> web.Response:
        return web.json_response(self._shop.google.key_file(f"{request.url.origin()}/token"))

    async def _notify(self, request: web.Request) -> web.Response:
        try:
            wanted = Wanted.model_validate_json(await request.read())
        except ValidationError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from error
        body = pushed(self._shop, wanted)
        claims = self._shop.google.push_claims(
            wanted.audience or wanted.url, self._shop.plane.now()
        )
        token = self._shop.google.push_token(claims | wanted.claims)
        answers = await _sent(wanted.url, body, token, wanted.sends)
        return web.json_response({"message_id": body["message"]["messageId"], "answers": answers})


def pushed(shop: Shop, wanted: Wanted) -> dict[str, Any]:
    """Return the body of a push."""
    now = shop.plane.now()
    told = {
        "version": "1.0",
        "packageName": shop.package,
        "eventTimeMillis": str(int(now.timestamp() * 1000)),
        **wanted.notification,
    }
    message = {
        "data": b64encode(json.dumps(told).encode()).decode(),
        "messageId": wanted.message_id or shop.plane.new_id(),
        "publishTime": now.isoformat(),
        "attributes": {},
    }
    return {"message": message, "subscription": "projects/fake/subscriptions/play"}


async def _sent(url: str, body: dict[str, Any], token: str, times: int) -> list[int]:
    """Push so often; return each status, or 0 where nobody answered."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(timeout=PATIENCE, headers=headers) as session:
        return [await _status(session, url, body) for _ in range(times)]


async def _status(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> int:
    try:
        async with session.post(url, json=body) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return 0
