"""Telling the figures of purchases that begin, end and come back, each once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import PurchaseState, Source
from medici.domain.billing.derive import RUNNING, Held, access
from medici.domain.billing.fold import Told
from medici.domain.billing.models import EntitlementRow, EntitlementStatus, Purchase
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service import telling
from medici.domain.events.facts import EventName
from medici.domain.identity.owner import OwnerKind

GIVING = RUNNING | {PurchaseState.GRACE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Was:
    """A purchase as it stood before, whose it was, and since when it had stood like that."""

    purchase: Held
    user_id: str | None
    since: datetime


async def report(
    session: AsyncSession,
    was: Was | None,
    row: Purchase,
    purchase: Held,
    told: Sequence[Told],
    *,
    policy: StorePolicy,
    now: datetime,
) -> None:
    """Report what a purchase's new standing, ``purchase``, means for the figures.

    ``told`` is all that was told of it, the message that changed it included.
    """
    had = was is not None and await _counted(session, was, policy, now)
    has = access(purchase, now, leeway=policy.leeway)
    if has and not had:
        back = was is not None and _ran(was, row, told, policy)
        name = EventName.SUBSCRIPTION_REACTIVATED if back else EventName.SUBSCRIPTION_ACTIVATED
    elif had and not has:
        name = EventName.SUBSCRIPTION_ENDED
    elif had and was is not None and was.purchase.plan_id != purchase.plan_id:
        name = EventName.SUBSCRIPTION_CHANGED
    else:
        return
    if row.user_id is not None and row.source is not Source.MANUAL:
        await telling.purchase_moved(session, row, name, at=row.watermark, now=now)


async def _counted(session: AsyncSession, was: Was, policy: StorePolicy, now: datetime) -> bool:
    """Tell whether a purchase was there for the figures, and its end has not been told."""
    if was.user_id is None or was.purchase.state not in GIVING:
        return False
    if access(was.purchase, now, leeway=policy.leeway):
        return True
    # The clock has ended it; until the sweep has seen that, its user's entitlement names it.
    named = exists().where(
        EntitlementRow.owner_kind == OwnerKind.USER,
        EntitlementRow.owner_id == was.user_id,
        EntitlementRow.status == EntitlementStatus.ACTIVE,
        EntitlementRow.purchase_id == was.purchase.id,
    )
    return bool(await session.scalar(select(named)))


def _ran(was: Was, row: Purchase, told: Sequence[Told], policy: StorePolicy) -> bool:
    """Tell whether a purchase that gives nothing had once given something to somebody."""
    if was.user_id is None:
        return False
    if was.purchase.state in GIVING:
        # Periods that were over when we first heard of them gave nothing.
        return access(was.purchase, was.since, leeway=policy.leeway)
    if was.purchase.state is PurchaseState.REVOKED:
        return True
    earlier = (one for one in told if one.event_id != row.watermark_event_id)
    return any(one.standing.state in GIVING for one in earlier)
