"""A host that is no provider's, and remembers what it was shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from medici.fakes.pictures import picture_of
from medici.fakes.serving import serving
from medici.kernel.net.client import OutgoingClient

PICTURE = picture_of("elsewhere")


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """``heard`` holds the headers of each request; ``outgoing`` may speak to it, too."""

    url: str
    heard: list[dict[str, str]] = field(default_factory=list)
    outgoing: OutgoingClient


@asynccontextmanager
async def elsewhere(base: str) -> AsyncIterator[Elsewhere]:
    """Have such a host beside the provider at ``base``."""
    heard: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append(dict(request.headers))
        return web.Response(body=PICTURE, content_type="image/png")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    async with serving(app) as other:
        origins = frozenset(one.removeprefix("http://") for one in (base, other))
        async with OutgoingClient(allow=origins) as outgoing:
            yield Elsewhere(url=f"{other}/picture.png", heard=heard, outgoing=outgoing)
