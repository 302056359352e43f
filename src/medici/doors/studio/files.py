"""Serving stored pictures to whoever holds a signed address."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from medici.adapters.storage.errors import InvalidSignature
from medici.adapters.storage.keys import is_key
from medici.adapters.storage.signed import Disposition, verify
from medici.domain.pictures import queries
from medici.domain.pictures.models import Picture
from medici.doors.http.context import AppResources
from medici.doors.studio.links import link_keys, subject_of
from medici.resources import Resources

router = APIRouter(tags=["files"])


@router.get("/files/{key:path}", response_class=Response)
async def picture_file(key: str, request: Request, resources: AppResources) -> Response:
    """Return a picture's bytes. The address must carry a signature that is still good."""
    picture = await _picture(resources, key)
    if picture is None:  # answered like a wrong signature, so that nobody learns what exists
        raise InvalidSignature("the link is not valid for this file")
    disposition = verify(
        subject_of(picture),
        request.url.query,
        keys=link_keys(resources.keys),
        now=resources.now(),
    )
    data = await resources.storage.get(picture.key)
    name = picture.key.rpartition("/")[2]
    kind = "attachment" if disposition is Disposition.ATTACHMENT else "inline"
    return Response(
        data,
        media_type=picture.content_type,
        headers={
            "Cache-Control": "private, max-age=3600",
            "Content-Disposition": f'{kind}; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


async def _picture(resources: Resources, key: str) -> Picture | None:
    if not is_key(key):
        return None
    async with resources.database.reading() as session:
        return await queries.picture_by_key(session, key)
