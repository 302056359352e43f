"""Every request has an id: in the logs, in the audit, in the answer."""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from medici.doors.http.context import REQUEST_ID
from medici.kernel.ids import new_id

HEADER = "X-Request-Id"
NAME = HEADER.lower().encode()
SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIds:
    """Take the caller's request id where it is safe to repeat, else make one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).get(HEADER, "")
        request_id = sent if SAFE.fullmatch(sent) else str(new_id())
        scope.setdefault("state", {})[REQUEST_ID] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (NAME, request_id.encode())]
            await send(message)

        with bound_contextvars(request_id=request_id):
            await self.app(scope, receive, send_with_id)
