"""How each hold ended, and that its lines add up."""

from sqlalchemy import Subquery, case, func, or_, select

from medici.domain.ledger.invariants.figures import Contradictions, or_zero, per_hold
from medici.domain.ledger.models import (
    Account,
    Grant,
    Hold,
    HoldLine,
    HoldStatus,
    LedgerEntry,
    LedgerTransaction,
    PostingKind,
)

ENDINGS = (PostingKind.CAPTURE, PostingKind.VOID, PostingKind.HOLD_EXPIRE)


def holds_end_once() -> Contradictions:
    """L7: a hold ends at most once and as it says; its lines add up."""
    endings = (
        select(
            LedgerTransaction.hold_id,
            func.count().label("endings"),
            *(
                func.sum(case((LedgerTransaction.kind == kind, 1), else_=0)).label(kind)
                for kind in ENDINGS
            ),
        )
        .where(LedgerTransaction.kind.in_(ENDINGS))
        .group_by(LedgerTransaction.hold_id)
        .subquery()
    )
    lines, spent, booked = per_hold(HoldLine.amount), per_hold(HoldLine.captured), _captured()
    as_it_says = case(
        (Hold.status == HoldStatus.CAPTURED, or_zero(endings.c[PostingKind.CAPTURE])),
        (Hold.status == HoldStatus.VOIDED, or_zero(endings.c[PostingKind.VOID])),
        (Hold.status == HoldStatus.EXPIRED, or_zero(endings.c[PostingKind.HOLD_EXPIRE])),
        else_=0,
    )
    expected = case((Hold.status == HoldStatus.PENDING, 0), else_=1)
    return (
        select(Hold.wallet_id, Hold.id.label("hold"), Hold.status, Hold.amount, Hold.captured)
        .outerjoin(endings, endings.c.hold_id == Hold.id)
        .outerjoin(lines, lines.c.hold_id == Hold.id)
        .outerjoin(spent, spent.c.hold_id == Hold.id)
        .outerjoin(booked, booked.c.hold_id == Hold.id)
        .where(
            or_(
                or_zero(endings.c.endings) != expected,
                as_it_says != expected,
                Hold.captured > Hold.amount,
                Hold.amount != or_zero(lines.c.total),
                Hold.captured != or_zero(spent.c.total),
                Hold.captured != or_zero(booked.c.total),
            )
        )
    )


def holds_stay_in_their_wallet() -> Contradictions:
    """L9: no hold is covered by another wallet's grant."""
    return (
        select(Hold.wallet_id, Hold.id.label("hold"), Grant.id.label("grant"))
        .join(HoldLine, HoldLine.hold_id == Hold.id)
        .join(Grant, Grant.id == HoldLine.grant_id)
        .where(Grant.wallet_id != Hold.wallet_id)
    )


def _captured() -> Subquery:
    """Sum what the entries say each hold was captured for."""
    return (
        select(LedgerTransaction.hold_id, func.sum(LedgerEntry.amount).label("total"))
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(
            LedgerTransaction.kind == PostingKind.CAPTURE, LedgerEntry.account == Account.CONSUMED
        )
        .group_by(LedgerTransaction.hold_id)
        .subquery()
    )
