"""The fake of the App Store as a web application."""

from typing import TypeVar

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ValidationError

from medici.fakes.apple.api import Api
from medici.fakes.apple.authority import Writer
from medici.fakes.apple.keys import AppKey
from medici.fakes.apple.shop import Purchase, Shop, Wanted
from medici.fakes.plane import Plane
from medici.fakes.serving import MOST_BODY_BYTES

Shape = TypeVar("Shape", bound=BaseModel)
PATIENCE = aiohttp.ClientTimeout(total=30)


def make_app(*, seed: int) -> web.Application:
    """Build the fake as the command line starts it."""
    plane = Plane(seed=seed)
    return apple_app(Shop(plane=plane, writer=Writer()), AppKey())


def apple_app(shop: Shop, key: AppKey) -> web.Application:
    """Build the fake around a shop, which may be changed while it runs."""
    app = web.Application(client_max_size=MOST_BODY_BYTES)
    shop.plane.install(app)
    api = Api(shop, key)
    for operation, method, path, handler in api.routes():
        app.router.add_route(method, path, shop.plane.operation(operation, api.known(handler)))
    _Control(shop, key).install(app)
    return app


class _Control:
    """Scripting purchases, having notifications sent, and handing out what a test must trust."""

    def __init__(self, shop: Shop, key: AppKey) -> None:
        self._shop = shop
        self._key = key

    def install(self, app: web.Application) -> None:
        app.router.add_get("/__fake/root.der", self._root)
        app.router.add_get("/__fake/api-key", self._api_key)
        app.router.add_put("/__fake/purchases/{id}", self._set_purchase)
        app.router.add_post("/__fake/notify", self._notify)
        app.router.add_get("/__fake/notifications", self._told)
        app.router.add_post("/__fake/transactions", self._sign)
        app.router.add_get("/__fake/consumption", self._used)

    async def _root(self, _request: web.Request) -> web.Response:
        root = self._shop.writer.authority.root.der
        return web.Response(body=root, content_type="application/pkix-cert")

    async def _api_key(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._key.pem)

    async def _set_purchase(self, request: web.Request) -> web.Response:
        original, scripted = request.match_info["id"], await _read(request, Purchase)
        scripted.transaction.setdefault("originalTransactionId", original)
        self._shop.purchases[original] = scripted
        return web.json_response({"purchases": len(self._shop.purchases)})

    async def _sign(self, request: web.Request) -> web.Response:
        """Sign a transaction as a device would have it."""
        signed = self._shop.signed_transaction(await request.json())
        return web.json_response({"signedTransaction": signed})

    async def _told(self, _request: web.Request) -> web.Response:
        told = [{"uuid": one.uuid, "signedPayload": one.signed} for one in self._shop.told]
        return web.json_response(told)

    async def _used(self, _request: web.Request) -> web.Response:
        used = self._shop.used.items()
        return web.json_response(
            {name: told.model_dump(by_alias=True, exclude_none=True) for name, told in used}
        )

    async def _notify(self, request: web.Request) -> web.Response:
        wanted = await _read(request, Wanted)
        told = self._shop.tell(wanted)
        answers = [] if wanted.url is None else await _sent(wanted.url, told.signed, wanted.sends)
        return web.json_response({"uuid": told.uuid, "answers": answers})


async def _sent(url: str, signed: str, times: int) -> list[int]:
    """Post a notification so often; return each status, or 0 where nobody answered."""
    async with aiohttp.ClientSession(timeout=PATIENCE) as session:
        return [await _status(session, url, signed) for _ in range(times)]


async def _status(session: aiohttp.ClientSession, url: str, signed: str) -> int:
    try:
        async with session.post(url, json={"signedPayload": signed}) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return 0


async def _read(request: web.Request, shape: type[Shape]) -> Shape:
    try:
        return shape.model_validate_json(await request.read())
    except ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from error
