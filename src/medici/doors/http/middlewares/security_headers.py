"""What a browser may do with our answers, unless a route says otherwise."""

from typing import TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header: TypeAlias = tuple[bytes, bytes]  # as ASGI has them, the name in lower case

ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin"),  # some of our links carry a token in their query
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
SECURE: Header = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
DATA: Header = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


def page_policy(*picture_origins: str) -> str:
    """Let a page use what comes from its own origin, and pictures from the named ones too."""
    pictures = " ".join(("'self'", "data:", "blob:", *picture_origins))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {pictures}",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


PAGE: Header = (b"content-security-policy", page_policy().encode())


class SecurityHeaders:
    """Add to each answer the headers that it does not bring itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _guarded(message, https=scope["scheme"] == "https")
            await send(message)

        await self.app(scope, receive, send_guarded)


def _guarded(message: Message, *, https: bool) -> list[Header]:
    """Return the answer's headers with those that it lacks."""
    headers: list[Header] = [*message.get("headers", ())]
    brought = {name.lower(): value for name, value in headers}
    page = brought.get(b"content-type", b"").startswith(b"text/html")
    wanted = (*ALWAYS, PAGE if page else DATA, *((SECURE,) if https else ()))
    return headers + [header for header in wanted if header[0] not in brought]
