"""Forms as large as photos are."""

from io import BytesIO

import aiohttp
from aiohttp import web

from medici.fakes.forms import FormPart, form_parts
from medici.fakes.serving import MOST_BODY_BYTES, serving


class TestFormParts:
    async def test_reads_a_part_that_is_larger_than_any_buffer(self) -> None:
        photo = bytes(range(256)) * 8192  # 2 MiB, with every kind of line end in it
        seen: list[FormPart] = []

        async def take(request: web.Request) -> web.Response:
            await request.read()
            seen.extend(await form_parts(request))
            return web.Response()

        app = web.Application(client_max_size=MOST_BODY_BYTES)
        app.router.add_post("/", take)
        form = aiohttp.FormData()
        form.add_field("image[]", BytesIO(photo), filename="a.png", content_type="image/png")
        form.add_field("prompt", "grün")
        async with serving(app) as base, aiohttp.ClientSession() as session:
            await session.post(base, data=form)

        assert [(part.name, part.filename, part.content_type) for part in seen] == [
            ("image[]", "a.png", "image/png"),
            ("prompt", None, "text/plain; charset=utf-8"),
        ]
        assert (seen[0].data, seen[1].data.decode()) == (photo, "grün")
