"""The discover feed: rooms before and after, which invite customers to try the same."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from starlette.staticfiles import StaticFiles

from medici.domain.plans.default_feed import PICTURES
from medici.domain.plans.feed import TABS, Shelf, shelves
from medici.domain.plans.models import DiscoverItem
from medici.doors.http.context import resources_of
from medici.doors.http.sessions import ReadSession

FRESH_FOR = "public, max-age=60"
SAMPLES = StaticFiles(directory=Path(__file__).with_name("discover_pictures"))
SAMPLES_FRESH_FOR = "public, max-age=86400"

router = APIRouter(tags=["discover"])


def base_of(request: Request) -> str:
    """Return what our own addresses begin with: ``MEDICI_PUBLIC_URL``, else as we were asked."""
    public = resources_of(request).settings.medici_public_url
    return (public or str(request.base_url)).rstrip("/")


def absolute(address: str, base: str) -> str:
    return base + address if address.startswith("/") else address


class FeedItemOut(BaseModel):
    """A room before and after."""

    id: str
    title: str
    subtitle: str
    category: str
    before_image_url: str
    after_image_url: str

    @classmethod
    def of(cls, item: DiscoverItem, base: str) -> "FeedItemOut":
        return cls(
            id=item.id,
            title=item.title,
            subtitle=item.subtitle,
            category=item.category,
            before_image_url=absolute(item.before_image_url, base),
            after_image_url=absolute(item.after_image_url, base),
        )


class FeedSectionOut(BaseModel):
    key: str
    title: str
    items: list[FeedItemOut]

    @classmethod
    def of(cls, shelf: Shelf, base: str) -> "FeedSectionOut":
        return cls(
            key=shelf.section.key,
            title=shelf.section.title,
            items=[FeedItemOut.of(item, base) for item in shelf.items],
        )


class FeedOut(BaseModel):
    """The tabs of the feed, and its sections under the tab that was asked for."""

    tabs: list[str]
    sections: list[FeedSectionOut]


@router.get("/v1/discover/feed")
async def discover_feed(
    request: Request,
    session: ReadSession,
    response: Response,
    tab: Annotated[str | None, Query(max_length=64)] = None,
) -> FeedOut:
    """Return the feed, under one tab or under all; anybody may ask.

    ``tab`` is a category of items, in any case; under one that nothing stands under, there are no
    sections.
    """
    response.headers["Cache-Control"] = FRESH_FOR
    base = base_of(request)
    found = await shelves(session, tab=tab)
    return FeedOut(tabs=list(TABS), sections=[FeedSectionOut.of(shelf, base) for shelf in found])


@router.get(PICTURES + "{name}", include_in_schema=False)
async def sample_picture(name: str, request: Request) -> Response:
    """Give a picture of the first feed."""
    response = await SAMPLES.get_response(name, request.scope)
    response.headers["Cache-Control"] = SAMPLES_FRESH_FOR
    return response
