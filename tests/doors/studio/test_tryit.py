"""The try-it page as it leaves the server: what it holds, what it may do, when it is there."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

import medici
from medici.domain.plans import service as plans
from medici.domain.plans.models import Plan, Style, Variable
from medici.doors.studio.tryit import routes
from tests.doors.support import BASE, NOW, DoorResources, Parts, assemble

Visit: TypeAlias = Callable[..., Awaitable[httpx.AsyncClient]]

STATIC = Path(routes.__file__).with_name("static")
SAMPLE = Path(medici.__file__).with_name("demo") / "bedroom.jpg"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
LIVE = {"app_env": "production"}


@pytest.fixture
async def visit(resources: DoorResources) -> AsyncIterator[Visit]:
    """Give a client of a deployment whose catalogue is filled, with settings that differ."""
    async with resources.database.transaction() as session:
        await plans.install_defaults(session, now=NOW)
    async with AsyncExitStack() as stack:

        async def visiting(**settings: Any) -> httpx.AsyncClient:
            changed = replace(resources, settings=resources.settings.model_copy(update=settings))
            app = assemble(changed, Parts(routers=[routes.router]))
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE)
            return await stack.enter_async_context(client)

        yield visiting


def policy_of(response: httpx.Response) -> dict[str, str]:
    parts = response.headers["content-security-policy"].split("; ")
    return {name: value for name, _, value in (part.partition(" ") for part in parts)}


class TestPage:
    async def test_offers_every_active_style_in_order(self, visit: Visit) -> None:
        page = await (await visit()).get("/")

        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert re.findall(r'name="style" value="(\w+)"', page.text) == [
            "modern",
            "minimalistic",
            "bohemian",
            "scandinavian",
            "industrial",
            "japandi",
            "rustic",
            "vintage",
            "christmas",
        ]

    async def test_names_what_each_quality_costs(self, visit: Visit) -> None:
        page = await (await visit()).get("/")

        assert re.findall(r'value="(preview|final)".*?data-price=(\d+)', page.text) == [
            ("preview", "1"),
            ("final", "2"),
        ]
        assert "2 credits, after a preview" in page.text

    async def test_says_nothing_of_previews_where_none_is_required(
        self, visit: Visit, resources: DoorResources
    ) -> None:
        client = await visit()
        async with resources.database.transaction() as session:
            required = await session.get_one(Variable, "preview_before_final_required")
            required.value = False

        assert "after a preview" not in (await client.get("/")).text

    async def test_stands_without_a_free_plan(self, visit: Visit, resources: DoorResources) -> None:
        client = await visit()
        async with resources.database.transaction() as session:
            await session.delete(await session.get_one(Plan, "free"))

        page = await client.get("/")

        assert page.status_code == 200
        assert "data-price" not in page.text

    async def test_writes_an_operators_words_as_text(
        self, visit: Visit, resources: DoorResources
    ) -> None:
        client = await visit()
        async with resources.database.transaction() as session:
            style = await session.get_one(Style, "modern")
            style.display_name = "<script>alert(1)</script>"

        page = await client.get("/")

        assert "<script>alert(1)" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text

    async def test_signs_visitors_in_by_itself_outside_production(self, visit: Visit) -> None:
        page = await (await visit()).get("/")

        assert '<body data-sign-in="demo">' in page.text
        assert 'href="/docs"' in page.text

    async def test_is_not_there_in_production(self, visit: Visit) -> None:
        client = await visit(**LIVE)

        for path in ("/", "/static/tryit/tryit.js", "/static/demo/bedroom.jpg"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (404, {"detail": "not_found"})

    async def test_asks_for_a_token_where_production_opens_it(self, visit: Visit) -> None:
        page = await (await visit(**LIVE, medici_try_it=True)).get("/")

        assert page.status_code == 200
        assert '<body data-sign-in="token">' in page.text
        assert '<input type="password" id="token"' in page.text

    async def test_can_be_switched_off_outside_production(self, visit: Visit) -> None:
        client = await visit(medici_try_it=False)

        assert (await client.get("/")).status_code == 404


class TestPolicy:
    async def test_allows_only_what_comes_from_here(self, visit: Visit) -> None:
        page = await (await visit()).get("/")

        assert policy_of(page) == POLICY

    async def test_allows_pictures_from_where_they_are_served(self, visit: Visit) -> None:
        client = await visit(
            medici_public_url="https://api.example.com/base",
            storage_public_base_url="https://cdn.example.com/pictures",
        )

        assert policy_of(await client.get("/")) == POLICY | {
            "img-src": "'self' data: blob: https://api.example.com https://cdn.example.com"
        }

    async def test_has_nothing_inline_to_forbid(self, visit: Visit) -> None:
        page = (await (await visit()).get("/")).text

        assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", page) == []
        assert re.findall(r"<script[^>]*>\s*[^<\s]", page) == []
        assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []

    async def test_names_no_foreign_host(self, visit: Visit) -> None:
        page = (await (await visit()).get("/")).text
        files = [file.read_text() for file in STATIC.iterdir()]
        namespace = "http://www.w3.org/2000/svg"

        for text in (page, *files):
            assert re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", text.replace(namespace, "")) == []


class TestFiles:
    async def test_are_there_for_everything_that_the_page_names(self, visit: Visit) -> None:
        client = await visit()
        page = (await client.get("/")).text
        named = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))

        assert "/static/tryit/tryit.js" in named
        for path in named:
            assert (await client.get(path)).status_code == 200

    async def test_are_there_for_everything_that_they_name(self) -> None:
        named = {
            name
            for file in STATIC.iterdir()
            for name in re.findall(r'(?:from "\./|url\(")([\w.]+)"', file.read_text())
        }

        assert named <= {file.name for file in STATIC.iterdir()}
        assert "api.js" in named

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("tryit/tryit.js", "text/javascript; charset=utf-8"),
            ("tryit/tryit.css", "text/css; charset=utf-8"),
            ("tryit/icon.svg", "image/svg+xml"),
            ("demo/bedroom.jpg", "image/jpeg"),
        ],
    )
    async def test_say_what_they_are(self, visit: Visit, path: str, kind: str) -> None:
        file = await (await visit()).get(f"/static/{path}")

        assert file.headers["content-type"] == kind
        assert file.headers["x-content-type-options"] == "nosniff"

    async def test_are_kept_by_browsers_until_they_change(self, visit: Visit) -> None:
        client = await visit()
        first = await client.get("/static/tryit/tryit.js")

        again = await client.get(
            "/static/tryit/tryit.js", headers={"If-None-Match": first.headers["etag"]}
        )

        assert first.headers["cache-control"] == "no-cache"
        assert (again.status_code, again.content) == (304, b"")

    async def test_include_the_sample_photo_unchanged(self, visit: Visit) -> None:
        photo = await (await visit()).get("/static/demo/bedroom.jpg")

        assert sha256(photo.content).digest() == sha256(SAMPLE.read_bytes()).digest()

    @pytest.mark.parametrize(
        "path", ["tryit/no.js", "tryit/..%2froutes.py", "tryit/%2e%2e%2froutes.py", "demo/no.jpg"]
    )
    async def test_end_at_their_folder(self, visit: Visit, path: str) -> None:
        assert (await (await visit()).get(f"/static/{path}")).status_code == 404
