"""The fake of fal as a web application: queue, results, storage of inputs and webhook keys."""

from aiohttp import web

from medici.fakes.fal.deliveries import Courier
from medici.fakes.fal.errands import Errands
from medici.fakes.fal.files import Files
from medici.fakes.fal.progress import Pace, Status, error_of, output_of, status_of, told
from medici.fakes.fal.refusals import failed_work, keyed, model_error, not_found
from medici.fakes.faults import Fault, FaultKind
from medici.fakes.plane import Plane, Work
from medici.fakes.serving import MOST_BODY_BYTES

NAMESPACES = frozenset({"workflows", "comfy"})
PICTURE_FIELDS = ("image_url", "image_urls")
FREE = frozenset({FaultKind.JOB_FAILED, FaultKind.MODERATED})
SECONDS = 2.0  # that work takes when the command line starts the fake


def make_app(*, seed: int) -> web.Application:
    """Build the fake as the command line starts it."""
    plane, pace = Plane(seed=seed), Pace(seconds=SECONDS)
    return fal_app(plane, pace, Courier(plane, pace))


def fal_app(plane: Plane, pace: Pace, courier: Courier) -> web.Application:
    """Build the fake around a plane; pace and courier may be changed while it runs."""
    queue, files = Queue(plane, pace, courier), Files(plane)
    app = web.Application(client_max_size=MOST_BODY_BYTES)
    plane.install(app)
    Errands(plane, pace, courier).install(app)
    app.cleanup_ctx.append(courier.running)
    app.router.add_get("/.well-known/jwks.json", plane.operation("keys", courier.keys.tell))
    upload = plane.operation("upload", keyed(files.initiate))
    app.router.add_post("/storage/upload/initiate", upload)
    app.router.add_put("/uploads/{name}", plane.operation("put", files.put))
    app.router.add_get("/files/{id}/out.png", plane.operation("artifact", files.artifact))
    own = "/{app:.+}/requests/{id}"
    app.router.add_get(own + "/status", plane.operation("status", keyed(queue.status)))
    app.router.add_get(own, plane.operation("result", keyed(queue.result)))
    app.router.add_put(own + "/cancel", plane.operation("cancel", keyed(queue.cancel)))
    app.router.add_post("/{endpoint:.+}", plane.operation("submit", keyed(queue.submit)))
    return app


class Queue:
    """Takes work and tells how far it is."""

    def __init__(self, plane: Plane, pace: Pace, courier: Courier) -> None:
        self._plane = plane
        self._pace = pace
        self._courier = courier

    async def submit(self, request: web.Request, fault: Fault) -> web.Response:
        given = await request.json()
        if not given.get("prompt"):
            return model_error("missing", "field required", "prompt")
        if not any(given.get(name) for name in PICTURE_FIELDS):
            return model_error("missing", "field required", "image_url")
        endpoint = request.match_info["endpoint"]
        billed = 0 if fault.kind in FREE else 1
        work = self._plane.take(model=endpoint, given=given, fault=fault, billed=billed)
        if webhook := request.query.get("fal_webhook"):
            await self._courier.expect(work, webhook, _base(request))
        accepted = told(work, Status.IN_QUEUE, _addresses(request, work))
        return web.json_response({**accepted, "gateway_request_id": work.id})

    async def status(self, request: web.Request, _fault: Fault) -> web.Response:
        if _is_sub_path(request):
            return web.Response(status=405)
        work = self._plane.work.get(request.match_info["id"])
        if work is None:
            return not_found()
        work.looks += 1
        status = status_of(work, self._plane, self._pace)
        code = 200 if status is Status.COMPLETED else 202
        return web.json_response(told(work, status, _addresses(request, work)), status=code)

    async def result(self, request: web.Request, _fault: Fault) -> web.Response:
        if _is_sub_path(request):
            return web.Response(status=405)
        work = self._plane.work.get(request.match_info["id"])
        if work is None:
            return not_found()
        if status_of(work, self._plane, self._pace) is not Status.COMPLETED:
            return web.json_response({"detail": "Request is still in progress"}, status=400)
        if error := error_of(work):
            return failed_work(error.type, work.fault.headers)
        headers = {"x-fal-billable-units": "0.196608", "x-fal-request-id": work.id}
        return web.json_response(output_of(work, _base(request)), headers=headers)

    async def cancel(self, request: web.Request, _fault: Fault) -> web.Response:
        if _is_sub_path(request):
            return web.Response(status=405)
        work = self._plane.work.get(request.match_info["id"])
        if work is None:
            return not_found()
        status = status_of(work, self._plane, self._pace)
        if status is Status.COMPLETED:
            return web.json_response({"status": "ALREADY_COMPLETED"}, status=400)
        work.canceled = True
        work.billed = 0 if status is Status.IN_QUEUE else work.billed
        return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202)


def _base(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _app_of(endpoint: str) -> str:
    parts = endpoint.split("/")
    return "/".join(parts[: 3 if parts[0] in NAMESPACES else 2])


def _is_sub_path(request: web.Request) -> bool:
    """Tell whether work is asked for below more than its app, which the queue does not serve."""
    app = request.match_info["app"]
    return app != _app_of(app)


def _addresses(request: web.Request, work: Work) -> dict[str, str]:
    root = f"{_base(request)}/{_app_of(work.model)}/requests/{work.id}"
    return {
        "response_url": root,
        "status_url": f"{root}/status",
        "cancel_url": f"{root}/cancel",
    }
