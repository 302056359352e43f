"""Styles, as operators see and change them."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field, StringConstraints

from medici.domain.plans import queries
from medici.domain.plans.errors import StyleNotFound
from medici.domain.plans.models import Style
from medici.domain.plans.rules import StyleTerms
from medici.domain.plans.styling import delete_style, save_style, seed_styles
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
    Unfilled,
    WebAddress,
    Word,
    same_id,
)
from medici.doors.studio.listing import listed

router = APIRouter(prefix="/v1/admin/styles", tags=["catalogue"], route_class=IdempotentRoute)

StyleId = Annotated[Identifier, Path()]
Prompt = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class StyleIn(Form):
    """A whole style. ``prompt`` holds the words that a provider gets."""

    style_id: Identifier | None = None
    display_name: Name
    prompt: Prompt
    thumbnail_url: Annotated[WebAddress | None, Unfilled] = None
    is_active: bool = True
    tags: list[Word] = Field(default_factory=list, max_length=50)
    room_types: list[Word] = Field(default_factory=list, max_length=50)
    sort_order: SortOrder = 0

    def terms(self) -> StyleTerms:
        """Put the form into the words of the catalogue."""
        return StyleTerms(
            display_name=self.display_name,
            prompt=self.prompt,
            thumbnail_url=self.thumbnail_url,
            is_active=self.is_active,
            tags=tuple(self.tags),
            room_types=tuple(self.room_types),
            sort_order=self.sort_order,
        )


class StyleOut(BaseModel):
    """A look that a room can be given."""

    style_id: str
    display_name: str
    prompt: str
    thumbnail_url: str | None
    is_active: bool
    tags: list[str]
    room_types: list[str]
    sort_order: int

    @classmethod
    def of(cls, style: Style) -> "StyleOut":
        return cls(
            style_id=style.style_id,
            display_name=style.display_name,
            prompt=style.prompt,
            thumbnail_url=style.thumbnail_url,
            is_active=style.is_active,
            tags=style.tags,
            room_types=style.room_types,
            sort_order=style.sort_order,
        )


@router.get("")
async def list_styles(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    is_active: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> list[StyleOut]:
    """List styles in their order; the header ``X-Next-Cursor`` leads to the next page."""
    styles = await listed(
        session,
        queries.styles_in_order(active=is_active),
        Style.sort_order,
        Style.style_id,
        cursor=cursor,
        limit=limit,
        response=response,
    )
    return [StyleOut.of(style) for style in styles]


@router.post("/seed-defaults")
async def seed_default_styles(
    act: OperatorAct, session: DbSession, overwrite: bool = False
) -> list[StyleOut]:
    """Bring back the styles of a new deployment and return all there are.

    Those that exist stay as they are, unless ``overwrite=true`` sets them back.
    """
    changes = await seed_styles(session, overwrite=overwrite, now=act.now)
    for style_id, change in changes.items():
        await act.record(session, "style_saved", noun="style", row_id=style_id, change=change)
    return [StyleOut.of(style) for style in await session.scalars(queries.styles_in_order())]


@router.get("/{style_id}")
async def one_style(style_id: StyleId, _operator: Operator, session: ReadSession) -> StyleOut:
    """Return a style."""
    style = await queries.style_by_id(session, style_id)
    if style is None:
        raise StyleNotFound(f"there is no style {style_id}")
    return StyleOut.of(style)


@router.put("/{style_id}")
async def put_style(
    style_id: StyleId, body: StyleIn, act: OperatorAct, session: DbSession
) -> StyleOut:
    """Make a style or change it; renders that are under way keep the words they began with."""
    change = await save_style(
        session, style_id=same_id(style_id, body.style_id), terms=body.terms(), now=act.now
    )
    await act.record(session, "style_saved", noun="style", row_id=style_id, change=change)
    return StyleOut.of(await session.get_one(Style, style_id))


@router.delete("/{style_id}")
async def remove_style(style_id: StyleId, act: OperatorAct, session: DbSession) -> Deleted:
    """Delete a style; pictures that were made in it stay."""
    change = await delete_style(session, style_id=style_id)
    await act.record(session, "style_deleted", noun="style", row_id=style_id, change=change)
    return Deleted()
