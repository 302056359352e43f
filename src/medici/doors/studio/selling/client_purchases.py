"""Purchases that an app hands in itself: it need not wait until the store has told us."""

import hashlib
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.errors import PurchaseUnknown
from medici.adapters.payments.google.handles import Bought, Handle
from medici.adapters.payments.news import Source, StoreNews
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.queries import entitlement
from medici.domain.billing.service.claims import claim
from medici.domain.identity.owner import Owner
from medici.domain.plans.models import Pack
from medici.doors.http.auth import CurrentUser
from medici.doors.http.context import AppResources, Now
from medici.doors.studio.selling.native_messages import ask_about
from medici.doors.studio.selling.schemas import EntitlementOut
from medici.doors.studio.selling.taking import PROCESSED
from medici.kernel.environment import Environment
from medici.kernel.errors import Kind, MediciError
from medici.resources import Resources

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"])

LONGEST_SIGNED = 64 * 1024


class StoreNotHere(MediciError):
    """This deployment does not sell in that store, or cannot ask it."""

    kind = Kind.CONFLICT
    code = "store_not_configured"


class SignedTransactionIn(BaseModel):
    """``signedTransaction`` is StoreKit's ``jwsRepresentation`` of a transaction."""

    model_config = ConfigDict(populate_by_name=True)

    signed_transaction: Annotated[
        str, StringConstraints(min_length=1, max_length=LONGEST_SIGNED)
    ] = Field(alias="signedTransaction")


class PlayPurchaseIn(BaseModel):
    """What Google Play's billing library gives an app after a purchase."""

    model_config = ConfigDict(populate_by_name=True)

    product_id: Annotated[
        str, StringConstraints(min_length=1, max_length=200, pattern=r"^[!-~]+$")
    ] = Field(alias="productId")
    purchase_token: Annotated[
        str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^[!-~]+$")
    ] = Field(alias="purchaseToken")
    package_name: (
        Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[!-~]+$")] | None
    ) = Field(None, alias="packageName")


class ClaimedOut(BaseModel):
    """What became of the purchase, and what its user holds now.

    It is the caller's whatever ``message`` says: ``processed``, ``duplicate_event`` (they had
    handed it in before), ``stale_event`` (the store had told something newer) or ``unclaimed``
    (its product is none of ours).
    """

    event_id: str
    processed: bool
    message: str
    entitlement: EntitlementOut


@router.post("/ios/transactions")
async def apple_transaction(
    body: SignedTransactionIn, user: CurrentUser, resources: AppResources, now: Now
) -> ClaimedOut:
    """Hand in a transaction that the App Store signed; it becomes the caller's.

    400 ``invalid_signature`` where Apple did not sign it, 409 ``purchase_owned_by_another_user``.
    Handing it in again, or hearing of it from Apple as well, changes nothing.
    """
    apple = resources.receivers.apple
    if apple is None:
        raise StoreNotHere("APPLE_BUNDLE_IDS and APPLE_ROOT_CERTS_DIR are not set")
    news = await apple.read_transaction(body.signed_transaction, now=now)
    return await _claim(resources, user.id, news, body.signed_transaction, now)


@router.post("/android/purchases")
async def play_purchase(
    body: PlayPurchaseIn, user: CurrentUser, resources: AppResources, now: Now
) -> ClaimedOut:
    """Hand in a purchase token of Google Play; Google is asked, and it becomes the caller's.

    404 ``purchase_not_found`` where Google knows no such token, 409
    ``purchase_owned_by_another_user``, 503 while Google does not answer.
    """
    handle = str(await _handle(resources, body))
    store = resources.stores.get(Source.ANDROID)
    if store is None:
        raise StoreNotHere("GOOGLE_PLAY_SERVICE_ACCOUNT is not set")
    news = await store.current(handle, environment=Environment.PRODUCTION, now=now)
    if news is None:
        raise PurchaseUnknown("Google shows no such purchase")
    return await _claim(resources, user.id, news, handle, now)


async def _handle(resources: Resources, body: PlayPurchaseIn) -> Handle:
    """Return what Google is asked by; packs are products there, plans subscriptions."""
    packages = resources.settings.google_play_package_names
    if not packages:
        raise StoreNotHere("GOOGLE_PLAY_PACKAGE_NAMES is not set")
    package = body.package_name or packages[0]
    if package not in packages:
        raise PurchaseUnknown("the purchase is of another app")
    async with resources.database.reading() as session:
        bought = Bought.PRODUCT if await _is_pack(session, body.product_id) else Bought.SUBSCRIPTION
    return Handle.parse(f"{bought}:{package}:{body.purchase_token}")


async def _is_pack(session: AsyncSession, product_id: str) -> bool:
    found = await session.scalar(select(Pack.pack_id).where(Pack.android_product_id == product_id))
    return found is not None


async def _claim(
    resources: Resources, user_id: str, news: StoreNews, proof: str, now: datetime
) -> ClaimedOut:
    async with resources.database.transaction() as session:
        taken = await claim(
            session,
            user_id=user_id,
            news=news,
            keys=resources.keys,
            policy=StorePolicy.of(resources.settings),
            payload_hash=hashlib.sha256(proof.encode()).hexdigest(),
            now=now,
        )
        if news.source is Source.IOS and Source.IOS in resources.stores:
            await ask_about(session, news, now=now)
        held = await entitlement(session, owner=Owner.user(user_id))
    return ClaimedOut(
        event_id=taken.event_id,
        processed=taken.message == PROCESSED,
        message=taken.message,
        entitlement=EntitlementOut.of(user_id, held),
    )
