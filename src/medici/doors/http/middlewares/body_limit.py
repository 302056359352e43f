"""How much a request may send, counted while reading, whatever its headers say."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medici.doors.http.accents import Failure
from medici.doors.http.errors import failure_response

BODY_BYTES = 1024 * 1024
UPLOAD_BYTES = 15 * 1024 * 1024 + 64 * 1024  # a picture and the form around it
UPLOADS: Mapping[str, int] = {"/v1/uploads": UPLOAD_BYTES, "/upload": UPLOAD_BYTES}

CODE = "body_too_large"
TOO_LARGE = Failure(status=413, code=CODE, message="the body is larger than this path takes")


class BodyLimit:
    """Refuse bodies beyond ``default`` bytes, or beyond what ``by_path`` allows a path."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        default: int = BODY_BYTES,
        by_path: Mapping[str, int] = UPLOADS,
    ) -> None:
        self.app = app
        self.default = default
        self.by_path = by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.by_path.get(scope["path"].rstrip("/"), self.default)
        if _declared(scope) > limit:
            await failure_response(scope, TOO_LARGE)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                # The one exception that FastAPI lets through while it parses a body.
                raise HTTPException(TOO_LARGE.status, CODE)
            return message

        await self.app(scope, counted, send)


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0
