"""Where the fake is reached, as its own answers name it."""

from aiohttp import web


def base_of(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"
