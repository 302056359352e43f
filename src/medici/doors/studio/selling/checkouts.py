"""Paying on the web: a checkout for a plan or a pack, and the customer's own page at Stripe."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, BaseModel, StringConstraints, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Source
from medici.adapters.payments.stripe.checkout import Mode, StripeCheckout, Wish
from medici.domain.billing.customers import customer_of
from medici.domain.billing.models import Checkout
from medici.domain.billing.service.checkouts import (
    PREFIX,
    PROVIDER,
    Returns,
    Ware,
    begin_checkout,
    checkout_link,
    new_checkout_id,
    pack_on_sale,
    plan_on_sale,
)
from medici.doors.http.auth import CurrentUser, own_scope
from medici.doors.http.context import AppResources, Now
from medici.doors.http.headers import IDEMPOTENCY_KEY
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.sessions import DbSession
from medici.doors.studio.auth import UserId
from medici.doors.studio.selling.schemas import PlanId
from medici.kernel.errors import Kind, MediciError
from medici.resources import Resources
from medici.settings import Settings

router = APIRouter(
    prefix="/v1/subscriptions/web", tags=["subscriptions"], route_class=IdempotentRoute
)

PAYMENT_PAGE = "/checkout"  # below our own address, where no other page is named
DANGEROUS = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", ""})


class ReturnRefused(MediciError):
    """Customers are sent back only to addresses that this deployment serves."""

    kind = Kind.INVALID
    code = "return_url_not_allowed"

    def __init__(self) -> None:
        super().__init__("the address to come back to is not among ALLOWED_ORIGINS")


class NoStripe(MediciError):
    kind = Kind.CONFLICT
    code = "portal_not_available"

    def __init__(self) -> None:
        super().__init__(
            "there is no page for this: Stripe is not configured, or knows no customer"
        )


def _is_address(url: str) -> str:
    if urlsplit(url).scheme.lower() in DANGEROUS:
        raise ValueError("an address of a page or an app is needed")
    return url


ReturnUrl = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2_000, pattern=r"^[!-~]+$"),
    AfterValidator(_is_address),
]


class CheckoutIn(BaseModel):
    """What to buy: one of ``plan_id`` and ``pack_id``."""

    user_id: UserId
    plan_id: PlanId | None = None
    pack_id: PlanId | None = None
    success_url: ReturnUrl
    cancel_url: ReturnUrl

    @model_validator(mode="after")
    def _names_one(self) -> "CheckoutIn":
        if (self.plan_id is None) == (self.pack_id is None):
            raise ValueError("name a plan_id or a pack_id")
        return self


class CheckoutOut(BaseModel):
    """Where the customer pays."""

    session_id: str
    checkout_url: str
    provider: str = PROVIDER


class PortalIn(BaseModel):
    return_url: ReturnUrl


class PortalOut(BaseModel):
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A page to pay at; ``named`` is what Stripe calls it."""

    checkout_id: str
    user_id: str
    ware: Ware
    url: str
    named: str | None


async def opened(
    body: CheckoutIn, user: CurrentUser, request: Request, resources: AppResources
) -> Opened:
    """Open the page before the transaction begins, since Stripe may have to be waited for."""
    user_id = own_scope(user, body.user_id)
    _refuse_foreign(resources.settings, body.success_url, body.cancel_url)
    checkout_id = _checkout_id(request, user_id, body)
    async with resources.database.reading() as session:
        ware = await _wanted(session, body)
        customer_id = await _customer(session, resources, user_id)
        known = await session.get(Checkout, checkout_id)
    if known is not None:
        url, named = known.checkout_url, known.provider_session_id
    else:
        returns = Returns(success_url=body.success_url, cancel_url=body.cancel_url)
        url, named = await _page(
            resources, request, checkout_id, ware, returns, user_id=user_id, customer_id=customer_id
        )
    return Opened(checkout_id=checkout_id, user_id=user_id, ware=ware, url=url, named=named)


@router.post("/checkout-session")
async def checkout_session(
    page: Annotated[Opened, Depends(opened)], session: DbSession, now: Now
) -> CheckoutOut:
    """Begin to buy a plan or a pack; the answer's ``checkout_url`` is where the customer pays.

    With ``STRIPE_SECRET_KEY`` it is Stripe's own page, else the page of
    ``WEB_BILLING_CHECKOUT_BASE_URL`` with everything that it needs to know in its query.
    """
    await begin_checkout(
        session,
        checkout_id=page.checkout_id,
        user_id=page.user_id,
        ware=page.ware,
        url=page.url,
        provider_session_id=page.named,
        now=now,
    )
    return CheckoutOut(session_id=page.checkout_id, checkout_url=page.url)


@router.post("/portal-session")
async def portal_session(
    body: PortalIn, user: CurrentUser, resources: AppResources, now: Now
) -> PortalOut:
    """Open the page at Stripe where customers change cards, cancel, and find their invoices."""
    _refuse_foreign(resources.settings, body.return_url)
    async with resources.database.reading() as session:
        customer_id = await _customer(session, resources, user.id)
    checkout = resources.receivers.checkout
    if checkout is None or customer_id is None:
        raise NoStripe
    return PortalOut(url=await _portal(checkout, customer_id, body.return_url, now))


async def _portal(
    checkout: StripeCheckout, customer_id: str, return_url: str, now: datetime
) -> str:
    key = f"portal:{customer_id}:{now.isoformat()}"
    return await checkout.portal(customer_id, return_url=return_url, key=key)


async def _customer(session: AsyncSession, resources: Resources, user_id: str) -> str | None:
    """Return what Stripe calls a user, in the world of our key."""
    checkout = resources.receivers.checkout
    if checkout is None:
        return None
    return await customer_of(
        session, user_id=user_id, source=Source.WEB, environment=checkout.wire.environment
    )


async def _wanted(session: AsyncSession, body: CheckoutIn) -> Ware:
    if body.plan_id is not None:
        return await plan_on_sale(session, body.plan_id)
    return await pack_on_sale(session, body.pack_id or "")


def _checkout_id(request: Request, user_id: str, body: CheckoutIn) -> str:
    """Name a checkout; a request that is repeated with its Idempotency-Key gets the same name."""
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return new_checkout_id()
    repeated = json.dumps([user_id, key, body.model_dump()])
    return PREFIX + hashlib.sha256(repeated.encode()).hexdigest()[:32]


async def _page(
    resources: Resources,
    request: Request,
    checkout_id: str,
    ware: Ware,
    returns: Returns,
    *,
    user_id: str,
    customer_id: str | None,
) -> tuple[str, str | None]:
    """Return where to pay, and what Stripe calls it."""
    settings, stripe = resources.settings, resources.receivers.checkout
    if stripe is None:
        own = (settings.medici_public_url or str(request.base_url)).rstrip("/") + PAYMENT_PAGE
        base = settings.web_billing_checkout_base_url or own
        return checkout_link(base, checkout_id, user_id=user_id, ware=ware, returns=returns), None
    wish = Wish(
        mode=Mode(ware.mode),
        product_id=ware.product_id,
        user_id=user_id,
        checkout_id=checkout_id,
        success_url=returns.success_url,
        cancel_url=returns.cancel_url,
        customer_id=customer_id,
        promotion_codes=True,
    )
    opened = await stripe.create(wish, key=f"checkout:{checkout_id}")
    return opened.url or "", opened.id


def _refuse_foreign(settings: Settings, *urls: str) -> None:
    """Let web addresses lead back only to our own origins, where those are listed."""
    if "*" in settings.allowed_origins:
        return
    for url in urls:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        if parts.scheme.lower() in {"http", "https"} and origin not in settings.allowed_origins:
            raise ReturnRefused
