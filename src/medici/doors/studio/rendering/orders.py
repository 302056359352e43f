"""Turning a request for a render into an order: scope and addresses are checked here.

This runs before the route's transaction opens, since judging an outside address asks the network.
"""

from fastapi import Request

from medici.domain.pictures.rules import own_picture_id
from medici.domain.rendering.service.submit import ImageSource, RenderOrder
from medici.doors.http.auth import CurrentUser, own_scope
from medici.doors.http.context import resources_of
from medici.doors.studio.links import PictureLinks
from medici.doors.studio.rendering.schemas import RenderJobIn
from medici.kernel.errors import Kind, MediciError
from medici.kernel.net.errors import UnsafeUrl

RESOLVE_SECONDS = 1.0


class UnsafeAddress(MediciError):
    """The address of a picture leads where we do not follow."""

    kind = Kind.INVALID

    def __init__(self, field: str, unsafe: UnsafeUrl) -> None:
        super().__init__(str(unsafe))
        self.code = unsafe.code_for(field)


async def render_order(
    request: Request, body: RenderJobIn, user: CurrentUser, links: PictureLinks
) -> RenderOrder:
    """Read the body into an order of the caller's own.

    Raises:
        ForbiddenUserScope: the body names somebody else.
        UnsafeAddress: an address that we do not follow.
    """
    own_scope(user, body.user_id)
    image = await _source(request, "image_url", body.image_url, links.own_prefixes)
    mask = None
    if body.mask_url is not None:
        mask = await _source(request, "mask_url", body.mask_url, links.own_prefixes)
    return RenderOrder(
        project_id=body.project_id,
        style_id=body.style_id,
        operation=body.operation,
        image=image,
        tier=body.tier,
        target_parts=tuple(dict.fromkeys(body.target_parts)),
        mask=mask,
        wishes=body.wishes,
        platform=body.platform or user.platform,
    )


async def _source(
    request: Request, field: str, url: str, own_prefixes: tuple[str, ...]
) -> ImageSource:
    picture_id = own_picture_id(url, own_prefixes)
    if picture_id is not None:
        return ImageSource(url=url, picture_id=picture_id)
    try:
        await resources_of(request).outgoing.resolve_public(url, seconds=RESOLVE_SECONDS)
    except UnsafeUrl as unsafe:
        raise UnsafeAddress(field, unsafe) from unsafe
    return ImageSource(url=url)
