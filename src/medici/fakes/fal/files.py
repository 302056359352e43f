"""Pictures: those that were uploaded, and those that came out."""

from aiohttp import web

from medici.fakes.faults import Fault, FaultKind
from medici.fakes.pictures import NO_PICTURE, picture_of
from medici.fakes.plane import Plane

ELSEWHERE = "https://example.com/elsewhere.png"


class Files:
    """The storage of one fake."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self.uploaded: dict[str, bytes] = {}

    async def initiate(self, request: web.Request, _fault: Fault) -> web.Response:
        name, base = self._plane.new_id(), f"{request.scheme}://{request.host}"
        return web.json_response(
            {"upload_url": f"{base}/uploads/{name}", "file_url": f"{base}/uploads/{name}"}
        )

    async def put(self, request: web.Request, _fault: Fault) -> web.Response:
        # The vendor's own client shows its key here; ours must not, which is ours to test.
        self.uploaded[request.match_info["name"]] = await request.read()
        return web.Response()

    async def artifact(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        work = self._plane.work.get(request.match_info["id"])
        if work is None:
            return web.Response(status=404)
        wrong = fault if fault.kind is not FaultKind.OK else work.fault
        match wrong.kind:
            case FaultKind.EXPIRED_URL:
                return web.Response(status=404)
            case FaultKind.REDIRECT_OTHER_ORIGIN:
                raise web.HTTPFound(wrong.headers.get("Location", ELSEWHERE))
            case FaultKind.BAD_IMAGE_BYTES:
                return web.Response(body=NO_PICTURE, content_type="image/png")
        return web.Response(body=picture_of(request.match_info["id"]), content_type="image/png")
