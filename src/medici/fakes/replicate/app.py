"""The fake of Replicate as a web application. The API lies under ``/v1``."""

import re

from aiohttp import web
from pydantic import ValidationError

from medici.fakes.faults import Fault
from medici.fakes.plane import FaultyHandler, Handler, Plane
from medici.fakes.replicate.deliveries import Courier
from medici.fakes.replicate.files import Pictures, Uploads
from medici.fakes.replicate.habits import Habits
from medici.fakes.replicate.orders import Orders
from medici.fakes.replicate.predictions import Predictions
from medici.fakes.replicate.problems import planned_refusal, unauthenticated
from medici.fakes.serving import MOST_BODY_BYTES

COURIER = web.AppKey("courier", Courier)
TOKEN = re.compile(r"^(Bearer|Token) \S+$")
ACCOUNT = {"type": "user", "username": "medici", "name": "Medici", "github_url": None}


def make_app(*, seed: int) -> web.Application:
    """Build the fake as the command line starts it."""
    return replicate_app(Plane(seed=seed))


def replicate_app(plane: Plane, habits: Habits | None = None) -> web.Application:
    """Build the fake around a plane; ``habits`` may be changed while it runs."""
    habits = habits or Habits()
    predictions = Predictions(plane, habits)
    courier = Courier(plane, predictions, habits)
    orders, uploads = Orders(plane, habits, predictions, courier), Uploads(plane)
    app = web.Application(client_max_size=MOST_BODY_BYTES)
    app[COURIER] = courier
    plane.install(app)
    app.router.add_post("/__fake/replicate", _habit_setter(habits))
    app.router.add_get("/__fake/deliveries", courier.tell)
    app.cleanup_ctx.append(courier.running)

    async def account(_request: web.Request, _fault: Fault) -> web.Response:
        return web.json_response(ACCOUNT)

    async def secret(_request: web.Request, _fault: Fault) -> web.Response:
        return web.json_response({"key": courier.secret})

    routes: tuple[tuple[str, str, str, FaultyHandler], ...] = (
        ("create", "POST", "/models/{owner}/{name}/predictions", orders.create_of_model),
        ("create", "POST", "/predictions", orders.create_of_version),
        ("list", "GET", "/predictions", orders.list),
        ("get", "GET", "/predictions/{id}", orders.get),
        ("cancel", "POST", "/predictions/{id}/cancel", orders.cancel),
        ("upload", "POST", "/files", uploads.create),
        ("list_files", "GET", "/files", uploads.list),
        ("get_file", "GET", "/files/{id}", uploads.get),
        ("delete_file", "DELETE", "/files/{id}", uploads.delete),
        ("account", "GET", "/account", account),
        ("secret", "GET", "/webhooks/default/secret", secret),
    )
    for operation, method, path, handler in routes:
        app.router.add_route(method, f"/v1{path}", plane.operation(operation, _known(handler)))
    pictures = Pictures(predictions)
    app.router.add_get("/files/{id}/out.png", plane.operation("artifact", pictures.get))
    return app


def _known(handler: FaultyHandler) -> FaultyHandler:
    """Let nobody in without a token, and refuse whom the fault wants refused."""

    async def checked(request: web.Request, fault: Fault) -> web.StreamResponse:
        if not TOKEN.match(request.headers.get("Authorization", "")):
            return unauthenticated()
        return planned_refusal(fault) or await handler(request, fault)

    return checked


def _habit_setter(habits: Habits) -> Handler:
    async def set_habits(request: web.Request) -> web.Response:
        try:
            wanted = Habits.model_validate_json(await request.read())
        except ValidationError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from error
        for name in wanted.model_fields_set:
            setattr(habits, name, getattr(wanted, name))
        return web.json_response(habits.model_dump(mode="json"))

    return set_habits
