"""Serving the page, its files, and the sample photo."""

from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

import medici
from medici.domain.plans import queries
from medici.domain.plans.defaults import FREE
from medici.domain.plans.variables import PREVIEW_BEFORE_FINAL_REQUIRED
from medici.doors.http.context import AppResources
from medici.doors.http.middlewares.security_headers import page_policy
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.tryit.cards import style_cards
from medici.kernel.errors import Kind, MediciError
from medici.settings import Settings

FILES = StaticFiles(packages=[(__package__, "static")])
DEMO = StaticFiles(directory=Path(medici.__file__).with_name("demo"))
SAMPLE = "bedroom.jpg"
ASK_AGAIN = {"Cache-Control": "no-cache"}  # kept by browsers, but shown only after asking us

templates = Environment(
    loader=PackageLoader(__package__),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class TryItClosed(MediciError):
    """Looks like a path that does not exist."""

    kind = Kind.NOT_FOUND
    code = "not_found"

    def __init__(self) -> None:
        super().__init__("the try-it page is switched off")


async def _page_open(resources: AppResources) -> None:
    if not resources.settings.try_it_open:
        raise TryItClosed


router = APIRouter(dependencies=[Depends(_page_open)], include_in_schema=False)


@router.get("/", response_class=HTMLResponse)
async def page(resources: AppResources, session: ReadSession) -> HTMLResponse:
    """Show the page with the styles and prices of this moment."""
    settings = resources.settings
    variables = await queries.load_variables(session)
    html = templates.get_template("page.html").render(
        cards=style_cards(await queries.active_styles(session)),
        plan=await queries.plan_by_id(session, FREE),
        preview_first=variables[PREVIEW_BEFORE_FINAL_REQUIRED],
        sign_in="token" if settings.is_production else "demo",
    )
    return HTMLResponse(
        html, headers={"Content-Security-Policy": page_policy(*_picture_origins(settings))}
    )


@router.get("/static/demo/bedroom.jpg")
async def sample_photo(request: Request) -> Response:
    return await _file(DEMO, SAMPLE, request)


@router.get("/static/tryit/{name}")
async def static_file(name: str, request: Request) -> Response:
    return await _file(FILES, name, request)


async def _file(files: StaticFiles, name: str, request: Request) -> Response:
    response = await files.get_response(name, request.scope)
    response.headers.update(ASK_AGAIN)
    return response


def _picture_origins(settings: Settings) -> list[str]:
    """Return the origins beside the page's own from which pictures may be shown."""
    bases = (settings.medici_public_url, settings.storage_public_base_url)
    parts = [urlsplit(base) for base in bases if base is not None]
    return [f"{part.scheme}://{part.netloc}" for part in parts]
