"""The API's description, for machines and for people."""

import base64
import hashlib
import re
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, JSONResponse, Response

from medici.doors.http.auth import OperatorInProduction

# A package carries the page's library, so that it works without a foreign host.
LIBRARY = files("fastapi_offline") / "static"
SCRIPT, STYLE = "swagger-ui-bundle.js", "swagger-ui.css"
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)

router = APIRouter(dependencies=[OperatorInProduction], include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Show the description as a page to read and to try."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=request.app.title,
        swagger_js_url=f"/docs/{SCRIPT}",
        swagger_css_url=f"/docs/{STYLE}",
        swagger_favicon_url="data:,",
    )
    page.headers["Content-Security-Policy"] = _policy(bytes(page.body))
    return page


@router.get(f"/docs/{SCRIPT}")
async def script() -> Response:
    return _asset(SCRIPT, "text/javascript")


@router.get(f"/docs/{STYLE}")
async def style() -> Response:
    return _asset(STYLE, "text/css")


def _asset(name: str, content_type: str) -> Response:
    headers = {"Cache-Control": "private, max-age=86400"}
    return Response((LIBRARY / name).read_bytes(), media_type=content_type, headers=headers)


def _policy(page: bytes) -> str:
    """Allow the page its library and exactly the script written in it, nothing else."""
    hashes = [
        base64.b64encode(hashlib.sha256(script).digest()).decode()
        for script in INLINE_SCRIPT.findall(page)
    ]
    scripts = " ".join(f"'sha256-{each}'" for each in hashes)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
