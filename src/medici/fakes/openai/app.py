"""The fake's routes."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from medici.fakes.faults import Fault, FaultKind
from medici.fakes.forms import FormPart, form_parts
from medici.fakes.openai import tokens
from medici.fakes.openai.models import LIVE, Size
from medici.fakes.openai.orders import EDITING, GENERATING, Order, order_of
from medici.fakes.openai.refusals import Refused, error, no_key, planned, signed
from medici.fakes.openai.uploads import FILES, judge_markup, uploads_of
from medici.fakes.pictures import NO_PICTURE, picture_of
from medici.fakes.plane import FaultyHandler, Plane
from medici.fakes.serving import MOST_BODY_BYTES

FIELDS = TypeAdapter(dict[str, str | int | None])
SQUARE: Size = (1, 1)


class Telling(BaseModel):
    """What the answers tell of tokens: nothing, or without or with the details of the output."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    usage: bool = True
    details: bool = False


@dataclass
class OpenAIFake:
    """Paints edits and new pictures, and counts what they would have cost."""

    plane: Plane
    telling: Telling = field(default_factory=Telling)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MOST_BODY_BYTES)
        self.plane.install(app)
        app.router.add_post("/__fake/openai", self._set_telling)
        for method, path, name, handler in (
            ("POST", "/v1/images/edits", "edit", self._edit),
            ("POST", "/v1/images/generations", "generate", self._generate),
            ("GET", "/v1/models", "models", self._models),
            ("GET", "/v1/models/{model}", "model", self._model),
        ):
            guarded = self.plane.operation(name, self._guarded(handler))
            app.router.add_route(method, path, guarded)
        return app

    def _guarded(self, handler: FaultyHandler) -> FaultyHandler:
        """Wrap a handler in what stands before each: the key, the planned faults, the refusals."""

        async def guarded(request: web.Request, fault: Fault) -> web.StreamResponse:
            if not request.headers.get("Authorization", "").startswith("Bearer "):
                return no_key(self.plane)
            if refusal := planned(self.plane, fault):
                return refusal
            try:
                return await handler(request, fault)
            except Refused as refused:
                told = str(refused)
                return error(self.plane, 400, told, code=refused.code, param=refused.param)

        return guarded

    async def _edit(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        parts = await _parts_of(request)
        uploads = uploads_of(parts)
        fields = {part.name: part.data.decode() for part in parts if part.name not in FILES}
        order = order_of(fields, EDITING, room=uploads.sizes[0])
        judge_markup(uploads, LIVE[order.model])
        given = {**fields, "images": len(uploads.sizes), "masked": uploads.mask is not None}
        return self._painted(order, given, uploads.sizes, fault)

    async def _generate(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        try:
            sent = FIELDS.validate_json(await request.read())
        except ValidationError as wrong:
            raise Refused("We could not parse the JSON body of your request.") from wrong
        fields = {name: str(value) for name, value in sent.items() if value is not None}
        order = order_of(fields, GENERATING, room=SQUARE)
        return self._painted(order, fields, [], fault)

    def _painted(
        self, order: Order, given: dict[str, Any], images: list[Size], fault: Fault
    ) -> web.StreamResponse:
        failing = fault.kind is FaultKind.JOB_FAILED
        billed = 0 if failing else order.pictures
        work = self.plane.take(model=order.model, given=given, fault=fault, billed=billed)
        if failing:
            message = "The server had an error while processing your request."
            return error(self.plane, 500, message, kind="server_error", code=fault.failure or None)
        width, height = order.size
        answer: dict[str, Any] = {
            "created": int(work.created_at.timestamp()),
            "background": order.background,
            "output_format": order.output_format,
            "quality": order.quality,
            "size": f"{width}x{height}",
            "data": _data(work.id, order.pictures, fault),
        }
        if order.safety_identifier is not None:
            answer["safety_identifier"] = order.safety_identifier
        if self.telling.usage:
            answer["usage"] = self._usage(order, images)
        return web.json_response(answer, headers=signed(self.plane))

    def _usage(self, order: Order, images: list[Size]) -> dict[str, Any]:
        return tokens.usage(
            text_in=tokens.text_tokens(order.prompt),
            image_in=tokens.input_tokens(images),
            image_out=tokens.output_tokens(order.size, order.quality, order.pictures),
            details=self.telling.details,
        )

    async def _models(self, _request: web.Request, _fault: Fault) -> web.StreamResponse:
        listed = {"object": "list", "data": [_listed(name) for name in LIVE]}
        return web.json_response(listed, headers=signed(self.plane))

    async def _model(self, request: web.Request, _fault: Fault) -> web.StreamResponse:
        name = request.match_info["model"]
        if name not in LIVE:
            message = f"The model '{name}' does not exist."
            return error(self.plane, 404, message, code="model_not_found", param="model")
        return web.json_response(_listed(name), headers=signed(self.plane))

    async def _set_telling(self, request: web.Request) -> web.Response:
        try:
            self.telling = Telling.model_validate_json(await request.read())
        except ValidationError as wrong:
            raise web.HTTPUnprocessableEntity(text=str(wrong)) from wrong
        return web.json_response(self.telling.model_dump())


def openai_app(plane: Plane) -> web.Application:
    """Build the fake on a plane that a test can reach into."""
    return OpenAIFake(plane).app()


def make_app(*, seed: int) -> web.Application:
    """Build the fake on a plane of its own."""
    return openai_app(Plane(seed=seed))


def _data(work_id: str, pictures: int, fault: Fault) -> list[dict[str, str]]:
    if fault.kind is FaultKind.EMPTY_IMAGES:
        return []
    bad = fault.kind is FaultKind.BAD_IMAGE_BYTES
    return [
        {"b64_json": b64encode(NO_PICTURE if bad else picture_of(f"{work_id}:{number}")).decode()}
        for number in range(pictures)
    ]


def _listed(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_760_000_000, "owned_by": "system"}


async def _parts_of(request: web.Request) -> tuple[FormPart, ...]:
    if request.content_type != "multipart/form-data":
        raise Refused("Content-Type must be multipart/form-data.", code="unsupported_content_type")
    try:
        return await form_parts(request)
    except ValueError as error:
        raise Refused(f"The form cannot be read: {error}") from error
