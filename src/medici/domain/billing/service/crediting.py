"""What payments bring to a wallet, and what refunds take from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Paid
from medici.domain.billing import credits
from medici.domain.billing.models import StoreRefund, StoreTransaction
from medici.domain.billing.policy import Clawback, StorePolicy
from medici.domain.billing.service import telling
from medici.domain.billing.service.clawing import give_back, recover, take_back
from medici.domain.billing.service.payments import RECEIPT
from medici.domain.billing.service.products import ware_of
from medici.domain.billing.work import ACKNOWLEDGE
from medici.domain.identity.owner import Owner
from medici.domain.ledger.models import GrantSource
from medici.domain.ledger.service.extending import extend_grant
from medici.domain.ledger.service.grants import issue_grant
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.values import GrantTerms, Memo
from medici.domain.plans.models import Pack, Plan
from medici.jobs.queue import enqueue

log = structlog.get_logger("medici.billing")

SOURCES = {
    Paid.PERIOD: GrantSource.PLAN_PERIOD,
    Paid.TRIAL: GrantSource.TRIAL,
    Paid.ONCE: GrantSource.PACK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What else is known where a payment is settled.

    ``lasting`` says until when each period lasts by the store's later word.
    """

    lineage: Sequence[StoreTransaction]
    refunds: Sequence[StoreRefund]
    lasting: Mapping[str, datetime]


async def settle(
    session: AsyncSession,
    paid: StoreTransaction,
    around: Around,
    *,
    owner: str | None,
    policy: StorePolicy,
    now: datetime,
) -> None:
    """Bring one payment to where all that is known leads: owner, ware, credits, refunds."""
    # What a payment was for matters once. A question after a change would have it written twice.
    ware = await ware_of(session, paid) if paid.credited_at is None else None
    if paid.user_id is None:
        paid.user_id = owner
    if paid.credited_at is None:
        _name(paid, ware)
        if ware is not None and paid.user_id is not None:
            await _credit(session, paid, ware, around, now=now)
    await _extend(session, paid, around, now=now)
    await _claw_back(session, paid, around, policy=policy, now=now)
    await session.flush()


def reference(paid: StoreTransaction) -> str:
    """Return what the ledger calls a payment; no two stores share one."""
    return f"{paid.source}:{paid.environment}:{paid.transaction_id}"


def _name(paid: StoreTransaction, ware: Plan | Pack | None) -> None:
    if ware is None:
        log.error("billing.unknown_product", source=paid.source, product_id=paid.product_id)
    elif isinstance(ware, Pack):
        paid.pack_id = ware.pack_id
    else:
        paid.plan_id = ware.plan_id


async def _credit(
    session: AsyncSession,
    paid: StoreTransaction,
    ware: Plan | Pack,
    around: Around,
    *,
    now: datetime,
) -> None:
    paid.credited_at = now
    paid.credits = 0 if _is_for_life(paid, ware) else credits.credits_brought(paid, ware)
    if paid.credits and paid.user_id is not None:
        paid.grant_id = await _grant(session, paid, paid.user_id, now=now)
    await session.flush()
    await telling.payment_taken(session, paid, around.lineage, now=now)
    if receipt := paid.details.get(RECEIPT):
        args = {"source": str(paid.source), "receipt": str(receipt)}
        await enqueue(session, ACKNOWLEDGE, now=now, args=args, key=f"{paid.source}:{receipt}")


def _is_for_life(paid: StoreTransaction, ware: Plan | Pack) -> bool:
    return paid.paid is Paid.ONCE and isinstance(ware, Plan)


async def _grant(
    session: AsyncSession, paid: StoreTransaction, user_id: str, *, now: datetime
) -> UUID:
    wallet_id = await open_wallet(
        session, owner=Owner.user(user_id), environment=paid.environment, now=now
    )
    terms = GrantTerms(
        source=SOURCES[paid.paid],
        source_ref=reference(paid),
        amount=paid.credits,
        expires_at=None if paid.paid is Paid.ONCE else paid.period_end,
    )
    memo = Memo(actor="system", reason=f"purchase_{paid.paid}", ref=reference(paid))
    posted = await issue_grant(session, wallet_id=wallet_id, terms=terms, memo=memo, now=now)
    return posted.subject_id


async def _extend(
    session: AsyncSession, paid: StoreTransaction, around: Around, *, now: datetime
) -> None:
    """Let a period's credits last as long as the store lets the period last."""
    until = around.lasting.get(paid.transaction_id)
    if until is None or paid.period_end is None or until <= paid.period_end:
        return
    paid.period_end = until
    if paid.grant_id is not None:
        memo = Memo(actor="system", reason="period_extended", ref=reference(paid))
        paid.grant_id = await extend_grant(
            session, grant_id=paid.grant_id, expires_at=until, memo=memo, now=now
        )


async def _claw_back(
    session: AsyncSession,
    paid: StoreTransaction,
    around: Around,
    *,
    policy: StorePolicy,
    now: datetime,
) -> None:
    mine = [each for each in around.refunds if each.transaction_id == paid.transaction_id]
    gone = credits.refunded(mine, paid)
    paid.refunded_share_ppm, paid.refunded_minor = gone.share_ppm, gone.minor
    paid.ends_access = gone.ends_access
    share = max(gone.share_ppm, credits.superseded_ppm(paid, around.lineage))
    due = credits.part_of(paid.credits, share)
    memo = Memo(actor="system", reason="purchase_refunded", ref=reference(paid))
    if due > paid.revoked_credits:
        await take_back(session, paid, due, memo=memo, now=now)
    elif due < paid.revoked_credits:
        await give_back(session, paid, due, memo=memo, now=now)
    else:
        paid.unrecovered_credits = 0
    if paid.unrecovered_credits and policy.clawback is Clawback.RECOVER:
        await recover(session, paid, mine, memo=memo, now=now)
    await _tell(session, paid, mine, now=now)


async def _tell(
    session: AsyncSession, paid: StoreTransaction, refunds: Sequence[StoreRefund], *, now: datetime
) -> None:
    """Report each refund once, as soon as it is known whose payment it was."""
    for refund in refunds:
        if paid.user_id is not None and refund.told_at is None and not refund.reversed:
            refund.told_at = now
            await telling.payment_refunded(session, refund, paid, now=now)
