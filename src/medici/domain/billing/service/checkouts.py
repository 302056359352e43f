"""Sending customers to where they pay on the web."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from urllib.parse import urlencode

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import PurchaseState, Source, StoreNews
from medici.domain.billing.models import Checkout
from medici.domain.events import service as events
from medici.domain.events.facts import EventName, Fact
from medici.domain.plans.models import Pack, Plan
from medici.kernel.errors import Kind, MediciError
from medici.kernel.ids import new_id

PREFIX = "wcs_"
PROVIDER = "stripe"
BEGUN = frozenset({PurchaseState.TRIALING, PurchaseState.ACTIVE})


class CheckoutState(StrEnum):
    """How far a customer has come."""

    OPEN = "open"
    COMPLETED = "completed"
    EXPIRED = "expired"


class NotForSale(MediciError):
    """There is nothing of this name that can be bought now."""

    kind = Kind.INVALID
    code = "plan_not_found_or_inactive"


class PackNotForSale(NotForSale):
    code = "pack_not_found_or_inactive"


class NotSoldOnTheWeb(MediciError):
    """It has no product on the web."""

    kind = Kind.INVALID
    code = "plan_missing_web_product_id"


class PackNotSoldOnTheWeb(NotSoldOnTheWeb):
    code = "pack_missing_web_product_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ware:
    """What is being bought: a plan by the month, or a pack once."""

    name: str
    product_id: str
    plan_id: str | None = None
    pack_id: str | None = None

    MODE_ONCE: ClassVar[str] = "payment"
    MODE_MONTHLY: ClassVar[str] = "subscription"

    @property
    def mode(self) -> str:
        return self.MODE_ONCE if self.pack_id else self.MODE_MONTHLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """Where the customer comes back to."""

    success_url: str
    cancel_url: str


async def plan_on_sale(session: AsyncSession, plan_id: str) -> Ware:
    """Return a plan as something to buy on the web.

    Raises:
        NotForSale: it is unknown, deleted or inactive.
        NotSoldOnTheWeb: it has no product there.
    """
    plan = await session.get(Plan, plan_id)
    if plan is None or not plan.is_active or plan.deleted_at is not None:
        raise NotForSale(f"no plan {plan_id} is on sale")
    if plan.web_product_id is None:
        raise NotSoldOnTheWeb(f"the plan {plan_id} is not sold on the web")
    return Ware(name=plan.display_name, product_id=plan.web_product_id, plan_id=plan_id)


async def pack_on_sale(session: AsyncSession, pack_id: str) -> Ware:
    """Do the same for a pack of credits; raises the same for packs."""
    pack = await session.get(Pack, pack_id)
    if pack is None or not pack.is_active:
        raise PackNotForSale(f"no pack {pack_id} is on sale")
    if pack.web_product_id is None:
        raise PackNotSoldOnTheWeb(f"the pack {pack_id} is not sold on the web")
    return Ware(name=pack.display_name, product_id=pack.web_product_id, pack_id=pack_id)


def new_checkout_id() -> str:
    return f"{PREFIX}{new_id().hex}"


def checkout_link(
    base: str, checkout_id: str, *, user_id: str, ware: Ware, returns: Returns
) -> str:
    """Write the address of a payment page that is not ours, with all that it needs to know."""
    bought = {"plan_id": ware.plan_id} if ware.plan_id else {"pack_id": ware.pack_id}
    query = {
        "session_id": checkout_id,
        "user_id": user_id,
        **bought,
        "product_id": ware.product_id,
        "success_url": returns.success_url,
        "cancel_url": returns.cancel_url,
    }
    return f"{base}{'&' if '?' in base else '?'}{urlencode(query)}"


async def begin_checkout(
    session: AsyncSession,
    *,
    checkout_id: str,
    user_id: str,
    ware: Ware,
    url: str,
    provider_session_id: str | None = None,
    now: datetime,
) -> None:
    """Write down, once, that a customer is on the way to pay."""
    if await session.get(Checkout, checkout_id) is not None:
        return
    session.add(
        Checkout(
            id=checkout_id,
            user_id=user_id,
            plan_id=ware.plan_id,
            pack_id=ware.pack_id,
            provider=PROVIDER,
            provider_session_id=provider_session_id,
            checkout_url=url,
            status=CheckoutState.OPEN,
            created_at=now,
        )
    )
    fact = Fact(
        name=EventName.CHECKOUT_STARTED,
        user_id=user_id,
        platform=Source.WEB,
        plan_id=ware.plan_id,
        properties={"checkout_id": checkout_id, "pack_id": ware.pack_id},
    )
    await events.record(session, fact, now=now)


async def complete_checkout(session: AsyncSession, news: StoreNews, *, now: datetime) -> None:
    """Write down that a customer has paid, or begun a trial, where news name their checkout."""
    begun = any(standing.state in BEGUN for standing in news.standings)
    if news.buyer.checkout_id and (news.payments or begun):
        await _end(session, news.buyer.checkout_id, CheckoutState.COMPLETED, now=now)


async def expire_checkout(session: AsyncSession, checkout_id: str, *, now: datetime) -> None:
    """Write down that a checkout came to nothing, unless it was completed."""
    await _end(session, checkout_id, CheckoutState.EXPIRED, now=now)


async def _end(
    session: AsyncSession, checkout_id: str, state: CheckoutState, *, now: datetime
) -> None:
    # A customer may pay although word of the checkout's end came first; never the other way.
    done = CheckoutState.COMPLETED
    completed_at = now if state is done else None
    await session.execute(
        update(Checkout)
        .where(Checkout.id == checkout_id, Checkout.status != done)
        .values(status=state, completed_at=completed_at)
    )
