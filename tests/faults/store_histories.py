"""Short histories at each store, told as its stand-in would tell them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from medici.adapters.payments.stripe.checkout import Mode, Wish
from medici.fakes.apple.authority import milliseconds
from medici.fakes.apple.shop import Told
from tests.adapters.payments.google.scripts import ORDER, item
from tests.doors.studio.relaying import MONTH_ON
from tests.support import apple
from tests.support.google import Push
from tests.support.stores import Stores

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One word of Apple's in a history: when, what, and what it carries."""

    day: int
    kind: str
    subtype: str | None
    period: int
    renews: bool = True
    refunded: bool = False


HISTORY = (
    Moment(day=-54, kind="SUBSCRIBED", subtype="INITIAL_BUY", period=0),
    Moment(day=-24, kind="DID_RENEW", subtype=None, period=1),
    Moment(day=-20, kind="REFUND", subtype=None, period=0, refunded=True),
    Moment(
        day=-10,
        kind="DID_CHANGE_RENEWAL_STATUS",
        subtype="AUTO_RENEW_DISABLED",
        period=1,
        renews=False,
    ),
)


def _words(moment: Moment, number: int, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    begins = NOW + timedelta(days=-54 + 30 * moment.period)
    at = NOW + timedelta(days=moment.day)
    original = f"77000000{number:04}"
    transaction = apple.bought(
        originalTransactionId=original,
        transactionId=f"{original}{moment.period}",
        appAccountToken=token,
        originalPurchaseDate=milliseconds(NOW + timedelta(days=-54)),
        purchaseDate=milliseconds(begins),
        expiresDate=milliseconds(begins + timedelta(days=30)),
    )
    if moment.refunded:
        transaction |= {"revocationDate": milliseconds(at), "revocationReason": 0}
    renewal = apple.renewing(
        originalTransactionId=original,
        renewalDate=transaction["expiresDate"],
        autoRenewStatus=int(moment.renews),
    )
    return transaction, renewal


def history(number: int, token: str) -> list[bytes]:
    """Write a history of the last days, fresh enough to be taken."""
    return [_letter(moment, number, token, place) for place, moment in enumerate(HISTORY)]


def _letter(moment: Moment, number: int, token: str, place: int) -> bytes:
    transaction, renewal = _words(moment, number, token)
    at, writer = _written_at(place), apple.writer()
    data = {
        "status": 1,
        "signedTransactionInfo": writer.transaction(at, **transaction),
        "signedRenewalInfo": writer.renewal(at, **renewal),
    }
    uuid = f"{number}-{place}"
    signed_word = writer.notification(
        at, uuid=uuid, kind=moment.kind, subtype=moment.subtype, data=data
    )
    return apple.enveloped(signed_word)


def _written_at(place: int) -> datetime:
    return NOW - timedelta(hours=len(HISTORY) - place)


def told_before(stores: Stores, number: int, token: str) -> list[bytes]:
    """Have the same history in the stand-in's memory as well."""
    bodies = history(number, token)
    for place, body in enumerate(bodies):
        word = json.loads(body)["signedPayload"]
        at = milliseconds(_written_at(place))
        stores.apple.told.append(Told(uuid=f"{number}-{place}", at=at, signed=word))
    return bodies


def relayed(route: str) -> dict[str, Any]:
    product = {"storekit": "ios", "google-play": "android", "web-billing": "web"}[route]
    return {
        "event_id": "e1",
        "user_id": "ada",
        "product_id": f"pro_monthly_{product}",
        "expires_at": MONTH_ON,
        "original_transaction_id": "o1",
        "metadata": {"transaction_id": "t1"},
    }


async def paid_event(stores: Stores) -> bytes:
    await _subscribed(stores, "ada")
    (event,) = [raw for raw in await stores.stripe.events() if b'"type":"invoice.paid"' in raw]
    return event


async def live_through(stores: Stores, user_id: str) -> None:
    """Have somebody subscribe at Stripe, get the money back and leave."""
    subscription_id = await _subscribed(stores, user_id)
    checkout = stores.studio.resources.receivers.checkout
    assert checkout is not None
    invoices = await stores.stripe.ask(f"invoices?subscription={subscription_id}")
    await checkout.refund(invoices["data"][0]["id"], key=f"refund-{user_id}")
    await stores.stripe.visitor.delete(f"/v1/subscriptions/{subscription_id}")


async def _subscribed(stores: Stores, user_id: str) -> str:
    checkout = stores.studio.resources.receivers.checkout
    assert checkout is not None
    wish = Wish(
        mode=Mode.SUBSCRIPTION,
        product_id="pro_monthly_web",
        user_id=user_id,
        checkout_id=f"wcs_{user_id}",
        success_url="https://app.example/thanks",
        cancel_url="https://app.example/",
    )
    session_id = (await checkout.create(wish, key=user_id)).id
    paid = await stores.stripe.order(f"pay/{session_id}")
    return str(paid["subscription"])


def item_after(name: str, token: str) -> dict[str, Any]:
    """Return the one item of a subscription's token after something has happened to it."""
    order = f"{ORDER}-{token}"
    if name == "purchased":
        return item(latestSuccessfulOrderId=order)
    plan = {"autoRenewEnabled": name == "renewed"}
    ends = "2026-12-31T12:00:00Z"
    return item(latestSuccessfulOrderId=f"{order}..0", expiryTime=ends, autoRenewingPlan=plan)


def push_about(stores: Stores, message_id: str, token: str) -> Push:
    about = {"version": "1.0", "notificationType": 2, "purchaseToken": token}
    return stores.google_pushes(message_id, subscriptionNotification=about)
