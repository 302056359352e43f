"""The last net: a fault of ours is logged whole and answered with next to nothing."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medici.doors.http.errors import fault_response


class Faults:
    """Answer an exception that nobody foresaw, inside CORS and request ids, so those hold too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as fault:  # whatever it is, the client gets an answer and we a log line
            if begun:
                raise
            await fault_response(scope, fault)(scope, receive, send)
