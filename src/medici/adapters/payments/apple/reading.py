"""Reading proven words into news. These take milliseconds of a core: call them in a thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from appstoreserverlibrary.models.Data import Data
from appstoreserverlibrary.models.ResponseBodyV2DecodedPayload import ResponseBodyV2DecodedPayload
from appstoreserverlibrary.signed_data_verifier import SignedDataVerifier

from medici.adapters.payments.apple.money import (
    payment_of,
    refund_of,
    reversal_of,
    upgrade_refund_of,
)
from medici.adapters.payments.apple.standing import (
    NON_CONSUMABLE,
    REVOKED,
    Proven,
    lifetime_standing,
    needed,
    standing_of,
)
from medici.adapters.payments.apple.verifying import (
    Verifier,
    checked_renewal,
    checked_transaction,
    moment,
)
from medici.adapters.payments.errors import MessageUnreadable
from medici.adapters.payments.news import (
    NOBODY,
    AuthMode,
    Buyer,
    Payment,
    PurchaseState,
    Refund,
    Source,
    Standing,
    StoreNews,
)
from medici.kernel.environment import Environment

CONSUMPTION = "CONSUMPTION_REQUEST"
# Types that change nothing of ours, and what an operator should know of them.
REMARKS: Mapping[str, str] = {
    "TEST": "a test of the store's",
    "REFUND_DECLINED": "a refund was declined",
    CONSUMPTION: "a customer asks for a refund; the store wants to know what was used",
    "RENEWAL_EXTENSION": "an extension for many subscribers",
    "EXTERNAL_PURCHASE_TOKEN": "a token of a purchase outside the store",
    "RESCIND_CONSENT": "a parent withdrew consent: this has legal consequences",
    "METADATA_UPDATE": "the subscription's metadata changed",
    "MIGRATION": "the subscription moved",
    "PRICE_CHANGE": "the subscription's price changed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a message tells; nothing, unless it says so."""

    standings: tuple[Standing, ...] = ()
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()


def read_notification(
    verifier: Verifier, signed: str, *, not_before: datetime, now: datetime
) -> StoreNews:
    """Prove and read a notification; errors as of the ``verifier``."""
    told, chosen = verifier.notification(signed, not_before=not_before, now=now)
    kind = needed(told.rawNotificationType, "notificationType")
    at = moment(told.signedDate)
    if at is None:
        raise MessageUnreadable("signedDate is missing")
    proven = _proven(told.data, chosen, at) if told.data and kind not in REMARKS else None
    asked = _proven(told.data, chosen, at) if told.data and kind == CONSUMPTION else None
    facts = _facts(kind, told.rawSubtype, proven) if proven else Facts()
    return StoreNews(
        source=Source.IOS,
        environment=_environment(told),
        event_id=needed(told.notificationUUID, "notificationUUID"),
        event_type=f"{kind}.{told.rawSubtype}" if told.rawSubtype else kind,
        event_time=at,
        auth_mode=AuthMode.NATIVE,
        buyer=buyer_of(proven) if proven else NOBODY,
        standings=facts.standings,
        payments=facts.payments,
        refunds=facts.refunds,
        asks_use_of=asked.transaction_id if asked else None,
        remark=REMARKS.get(kind) or (None if proven else f"{kind} is about no purchase"),
    )


def read_transaction(verifier: Verifier, signed: str, *, now: datetime) -> StoreNews:
    """Prove and read a transaction that a customer handed in; errors as of the ``verifier``.

    An app may hand in any transaction it keeps, so one whose period was over by the time of its
    signature proves a payment and says nothing about today.
    """
    transaction = verifier.transaction(signed, now=now)
    at = moment(transaction.signedDate) or now
    proven = Proven(transaction=transaction, at=at)
    facts = _as_it_stands(proven, {})
    speaks_of_today = proven.runs or proven.left_the_family or not proven.is_subscription
    return StoreNews(
        source=Source.IOS,
        environment=proven.environment,
        event_id=f"transaction:{proven.transaction_id}:{transaction.signedDate}",
        event_type="TRANSACTION",
        event_time=at,
        auth_mode=AuthMode.CLIENT,
        buyer=buyer_of(proven),
        standings=facts.standings if speaks_of_today and not facts.refunds else (),
        payments=facts.payments,
        refunds=facts.refunds,
    )


def read_current(proven: Proven, history: Sequence[Proven]) -> StoreNews:
    """Read what Apple answered to our own question: how it stands, and what was paid before.

    ``history`` are the transactions of the same purchase; one that was upgraded was given up when
    the next one began, which only their order tells.
    """
    now = _as_it_stands(proven, {})
    earlier = sorted(
        (one for one in history if one.transaction_id != proven.transaction_id),
        key=lambda one: one.transaction.purchaseDate or 0,
    )
    begins = [moment(one.transaction.purchaseDate) for one in (*earlier, proven)][1:]
    past = [
        _as_it_stands(one, {}, upgraded_at=begin)
        for one, begin in zip(earlier, begins, strict=True)
    ]
    signed_at = proven.transaction.signedDate
    return StoreNews(
        source=Source.IOS,
        environment=proven.environment,
        event_id=f"fetched:{proven.transaction_id}:{proven.status}:{signed_at}",
        event_type="FETCHED",
        event_time=proven.at,
        auth_mode=AuthMode.FETCHED,
        buyer=buyer_of(proven),
        standings=now.standings,
        payments=tuple(payment for facts in (*past, now) for payment in facts.payments),
        refunds=tuple(refund for facts in (*past, now) for refund in facts.refunds),
    )


def buyer_of(proven: Proven) -> Buyer:
    """Return the random id that the app passed at purchase, in the spelling that we gave out."""
    token = proven.transaction.appAccountToken
    if not token and proven.renewal is not None:
        token = proven.renewal.appAccountToken
    return Buyer(account_token=token.lower()) if token else NOBODY


def _proven(data: Data, chosen: SignedDataVerifier, at: datetime) -> Proven | None:
    """Check the two words inside a notification."""
    if not data.signedTransactionInfo:
        return None
    transaction = checked_transaction(chosen, data.signedTransactionInfo)
    renewal = checked_renewal(chosen, data.signedRenewalInfo) if data.signedRenewalInfo else None
    if renewal and renewal.originalTransactionId != transaction.originalTransactionId:
        raise MessageUnreadable("the renewal is another purchase's")
    return Proven(transaction=transaction, renewal=renewal, status=data.rawStatus, at=at)


def _facts(kind: str, subtype: str | None, proven: Proven) -> Facts:
    details = {"type": kind} | ({"subtype": subtype} if subtype else {})
    match kind:
        case "REFUND":  # it may be of an old period, so it says nothing about today's
            return Facts(refunds=(refund_of(proven),))
        case "REFUND_REVERSED":
            standings = (standing_of(proven, details),) if _is_today(proven) else ()
            return Facts(
                standings=standings,
                payments=(payment_of(proven),),
                refunds=(reversal_of(proven),),
            )
        case "REVOKE":
            return Facts(standings=(_revoked(proven, details),))
    return _as_it_stands(proven, details, upgraded_at=proven.at if subtype == "UPGRADE" else None)


def _as_it_stands(
    proven: Proven, details: Mapping[str, object], *, upgraded_at: datetime | None = None
) -> Facts:
    refunds = (refund_of(proven) if proven.was_refunded else _upgrade(proven, upgraded_at),)
    return Facts(
        standings=_standings(proven, details),
        payments=(payment_of(proven),),
        refunds=tuple(refund for refund in refunds if refund is not None),
    )


def _upgrade(proven: Proven, upgraded_at: datetime | None) -> Refund | None:
    """Return what an upgrade gives back, once it is known when that was."""
    at = moment(proven.transaction.revocationDate) or upgraded_at
    return upgrade_refund_of(proven, at=at) if proven.transaction.isUpgraded and at else None


def _standings(proven: Proven, details: Mapping[str, object]) -> tuple[Standing, ...]:
    """Describe what may give access; a transaction that was upgraded speaks for it no longer."""
    if proven.transaction.isUpgraded:
        return ()
    if proven.is_subscription:
        return (standing_of(proven, details),)
    if proven.transaction.rawType == NON_CONSUMABLE:
        return (lifetime_standing(proven, details),)
    return ()


def _revoked(proven: Proven, details: Mapping[str, object]) -> Standing:
    """Take access, whatever else is said: a relative does not share any longer."""
    if not proven.is_subscription:
        return replace(lifetime_standing(proven, details), state=PurchaseState.REVOKED)
    return standing_of(replace(proven, status=REVOKED), details)


def _is_today(proven: Proven) -> bool:
    return proven.is_subscription and proven.runs


def _environment(told: ResponseBodyV2DecodedPayload) -> Environment:
    """Return the environment, which the verifier has checked in whichever part names it."""
    part = told.data or told.summary or told.appData
    if part is not None:
        real = part.rawEnvironment == "Production"
    else:
        token = told.externalPurchaseToken
        real = not (token and (token.externalPurchaseId or "").startswith("SANDBOX"))
    return Environment.PRODUCTION if real else Environment.SANDBOX
