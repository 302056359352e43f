"""Packs of credits that are bought once, as operators see and change them."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from medici.domain.plans import queries
from medici.domain.plans.errors import PackNotFound
from medici.domain.plans.models import Pack
from medici.domain.plans.rules import PackTerms
from medici.domain.plans.selling import delete_pack, save_pack
from medici.doors.http.auth import Operator
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.paging import Cursor, Limit
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.catalogue.acts import OperatorAct
from medici.doors.studio.catalogue.schemas import (
    MOST_CREDITS,
    Deleted,
    Identifier,
    Name,
    Price,
    SoldForm,
    SortOrder,
    cents_of,
    dollars_of,
    same_id,
)
from medici.doors.studio.listing import listed

router = APIRouter(prefix="/v1/admin/packs", tags=["catalogue"], route_class=IdempotentRoute)

PackId = Annotated[Identifier, Path()]


class PackIn(SoldForm):
    """A whole pack."""

    pack_id: Identifier | None = None
    display_name: Name
    is_active: bool = True
    credits: Annotated[int, Field(ge=1, le=MOST_CREDITS, strict=True)]
    price_usd: Price
    sort_order: SortOrder = 0

    def terms(self) -> PackTerms:
        """Put the form into the words of the catalogue."""
        return PackTerms(
            display_name=self.display_name,
            is_active=self.is_active,
            credits=self.credits,
            price_cents=cents_of(self.price_usd),
            products=self.products,
            sort_order=self.sort_order,
        )


class PackOut(BaseModel):
    """Credits that are bought once and never expire."""

    pack_id: str
    display_name: str
    is_active: bool
    credits: int
    price_usd: float
    ios_product_id: str | None
    android_product_id: str | None
    web_product_id: str | None
    sort_order: int

    @classmethod
    def of(cls, pack: Pack) -> "PackOut":
        return cls(
            pack_id=pack.pack_id,
            display_name=pack.display_name,
            is_active=pack.is_active,
            credits=pack.credits,
            price_usd=dollars_of(pack.price_cents),
            ios_product_id=pack.ios_product_id,
            android_product_id=pack.android_product_id,
            web_product_id=pack.web_product_id,
            sort_order=pack.sort_order,
        )


@router.get("")
async def list_packs(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    is_active: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> list[PackOut]:
    """List packs in their order; the header ``X-Next-Cursor`` leads to the next page."""
    packs = await listed(
        session,
        queries.packs_in_order(active=is_active),
        Pack.sort_order,
        Pack.pack_id,
        cursor=cursor,
        limit=limit,
        response=response,
    )
    return [PackOut.of(pack) for pack in packs]


@router.get("/{pack_id}")
async def one_pack(pack_id: PackId, _operator: Operator, session: ReadSession) -> PackOut:
    """Return a pack."""
    pack = await queries.pack_by_id(session, pack_id)
    if pack is None:
        raise PackNotFound(f"there is no pack {pack_id}")
    return PackOut.of(pack)


@router.put("/{pack_id}")
async def put_pack(pack_id: PackId, body: PackIn, act: OperatorAct, session: DbSession) -> PackOut:
    """Make a pack or change it; what was bought before stays as it was.

    409 ``product_id_taken`` where a plan or another pack is sold as one of its products.
    """
    change = await save_pack(
        session, pack_id=same_id(pack_id, body.pack_id), terms=body.terms(), now=act.now
    )
    await act.record(session, "pack_saved", noun="pack", row_id=pack_id, change=change)
    return PackOut.of(await session.get_one(Pack, pack_id))


@router.delete("/{pack_id}")
async def remove_pack(pack_id: PackId, act: OperatorAct, session: DbSession) -> Deleted:
    """Delete a pack; credits that were bought with it stay."""
    change = await delete_pack(session, pack_id=pack_id)
    await act.record(session, "pack_deleted", noun="pack", row_id=pack_id, change=change)
    return Deleted()
