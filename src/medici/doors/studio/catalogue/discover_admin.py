"""The discover feed, as operators see and change it."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from medici.domain.plans import feed
from medici.domain.plans.models import DiscoverItem, DiscoverSection
from medici.domain.plans.rules import ItemTerms, SectionTerms
from medici.domain.plans.showing import delete_item, delete_section, save_item, save_section
from medici.doors.http.auth import Operator
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.paging import Cursor, Limit
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.catalogue.acts import OperatorAct
from medici.doors.studio.catalogue.schemas import (
    Deleted,
    Form,
    Identifier,
    Name,
    SortOrder,
    WebAddressOrPath,
    Word,
    same_id,
)
from medici.doors.studio.listing import listed

router = APIRouter(prefix="/v1/admin/discover", tags=["discover"], route_class=IdempotentRoute)

SectionKey = Annotated[Identifier, Path()]
ItemId = Annotated[Identifier, Path()]
Subtitle = Annotated[str, StringConstraints(max_length=200)]


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class SectionIn(Form):
    """A whole section, without its items."""

    key: Identifier | None = None
    title: Name
    is_active: bool = True
    sort_order: SortOrder = 0

    def terms(self) -> SectionTerms:
        return SectionTerms(title=self.title, is_active=self.is_active, sort_order=self.sort_order)


class SectionOut(Shown):
    """A row of pictures; one that is not active is not shown, nor is what stands in it."""

    key: str
    title: str
    is_active: bool
    sort_order: int


class ItemIn(Form):
    """A whole item. A picture is a web address, or a path of this server from the slash on."""

    id: Identifier | None = None
    section_key: Identifier
    title: Name
    subtitle: Subtitle = ""
    category: Word
    before_image_url: WebAddressOrPath
    after_image_url: WebAddressOrPath
    is_active: bool = True
    sort_order: SortOrder = 0

    def terms(self) -> ItemTerms:
        """Put the form into the words of the catalogue."""
        return ItemTerms(**self.model_dump(exclude={"id"}))


class ItemOut(Shown):
    """A room before and after, in its section; ``category`` is the tab that it stands under."""

    id: str
    section_key: str
    title: str
    subtitle: str
    category: str
    before_image_url: str
    after_image_url: str
    is_active: bool
    sort_order: int


@router.get("/sections")
async def list_sections(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> list[SectionOut]:
    """List sections in their order; the header ``X-Next-Cursor`` leads to the next page."""
    order = (DiscoverSection.sort_order, DiscoverSection.key)
    found = await listed(
        session,
        feed.sections_in_order(),
        *order,
        cursor=cursor,
        limit=limit,
        response=response,
    )
    return [SectionOut.model_validate(each) for each in found]


@router.put("/sections/{section_key}")
async def put_section(
    section_key: SectionKey, body: SectionIn, act: OperatorAct, session: DbSession
) -> SectionOut:
    """Make a section or change it."""
    change = await save_section(
        session, key=same_id(section_key, body.key), terms=body.terms(), now=act.now
    )
    noun = "discover_section"
    await act.record(session, f"{noun}_saved", noun=noun, row_id=section_key, change=change)
    return SectionOut.model_validate(await session.get_one(DiscoverSection, section_key))


@router.delete("/sections/{section_key}")
async def remove_section(section_key: SectionKey, act: OperatorAct, session: DbSession) -> Deleted:
    """Delete a section with everything that stands in it."""
    change = await delete_section(session, key=section_key)
    noun = "discover_section"
    await act.record(session, f"{noun}_deleted", noun=noun, row_id=section_key, change=change)
    return Deleted()


@router.get("/items")
async def list_items(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    section: Identifier | None = None,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> list[ItemOut]:
    """List items, of one ``section`` or of all; the header ``X-Next-Cursor`` leads on."""
    order = (DiscoverItem.section_key, DiscoverItem.sort_order, DiscoverItem.id)
    found = await listed(
        session,
        feed.items_in_order(section_key=section),
        *order,
        cursor=cursor,
        limit=limit,
        response=response,
    )
    return [ItemOut.model_validate(each) for each in found]


@router.put("/items/{item_id}")
async def put_item(item_id: ItemId, body: ItemIn, act: OperatorAct, session: DbSession) -> ItemOut:
    """Make an item or change it; 404 ``discover_section_not_found`` without its section."""
    change = await save_item(
        session, item_id=same_id(item_id, body.id), terms=body.terms(), now=act.now
    )
    noun = "discover_item"
    await act.record(session, f"{noun}_saved", noun=noun, row_id=item_id, change=change)
    return ItemOut.model_validate(await session.get_one(DiscoverItem, item_id))


@router.delete("/items/{item_id}")
async def remove_item(item_id: ItemId, act: OperatorAct, session: DbSession) -> Deleted:
    """Delete an item."""
    change = await delete_item(session, item_id=item_id)
    noun = "discover_item"
    await act.record(session, f"{noun}_deleted", noun=noun, row_id=item_id, change=change)
    return Deleted()
