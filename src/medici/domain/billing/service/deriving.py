"""Bringing an owner's entitlement to where their purchases lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing import queries
from medici.domain.billing.derive import Derived, Held, access, derive, ends_at
from medici.domain.billing.models import (
    EntitlementChange,
    EntitlementRow,
    EntitlementStatus,
    Purchase,
)
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.rules import Entitlement
from medici.domain.billing.service.purchases import held
from medici.domain.billing.variables import tuned
from medici.domain.identity.models import User
from medici.domain.identity.owner import Owner
from medici.domain.notices.notice import Notice, NoticeType
from medici.domain.notices.service.announce import announce
from medici.domain.plans.defaults import FREE
from medici.kernel.db.inserts import insert_into
from medici.kernel.environment import Environment
from medici.kernel.ids import new_id

JUST_BEFORE = timedelta(microseconds=1)


class By(StrEnum):
    """What made an entitlement change."""

    STORE = "store"
    SWEEP = "sweep"
    OPERATOR = "operator"
    CLAIM = "claim"
    CATALOGUE = "catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What made an entitlement change, and which message or act that was."""

    by: By
    id: str | None = None


async def lock_users(session: AsyncSession, user_ids: set[str]) -> None:
    """Let other changes of these users' purchases wait; always in the same order."""
    await session.execute(
        select(User.id)
        .where(User.id.in_(user_ids))
        .order_by(User.id)
        # Weaker than for deletion, so that signing in does not wait.
        .with_for_update(key_share=True)
    )


async def purchases_of(session: AsyncSession, user_id: str) -> Sequence[Purchase]:
    """Return everything that a user has bought or was given."""
    rows = await session.scalars(
        select(Purchase)
        .where(Purchase.user_id == user_id)
        .order_by(Purchase.id)
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def derived(
    session: AsyncSession, *, user_id: str, policy: StorePolicy, now: datetime
) -> Derived:
    """Return what a user is entitled to, and why; nothing is written."""
    found = [held(row) for row in await purchases_of(session, user_id)]
    return _derive(found, now, user_id, await tuned(session, policy))


async def rederive(
    session: AsyncSession,
    *,
    user_id: str,
    cause: Cause,
    policy: StorePolicy,
    now: datetime,
    quietly: bool = False,
) -> bool:
    """Store what a user is entitled to; return whether that changed. The user is locked.

    Each change is a row of the history; however many there are, other systems are told of the
    outcome once, or not at all when it goes ``quietly``.
    """
    owner = Owner.user(user_id)
    before = await queries.entitlement(session, owner=owner)
    purchases = [held(row) for row in await purchases_of(session, user_id)]
    after = _derive(purchases, now, user_id, policy)
    if after.entitlement == before:
        return False
    steps = _steps(before, purchases, user_id, policy, now) if cause.by is By.SWEEP else []
    was = before
    for step in [*steps, after.entitlement]:
        if step != was:
            await _write_history(session, owner, was, step, cause, now=now)
        was = step
    await write_entitlement(
        session, owner, after.entitlement, purchase_id=_id(after.shown), now=now
    )
    if not quietly:
        await _announce(session, user_id, before, after.entitlement, now=now)
    return True


async def write_entitlement(
    session: AsyncSession,
    owner: Owner,
    entitlement: Entitlement,
    *,
    purchase_id: UUID | None,
    now: datetime,
) -> None:
    """Store an entitlement as it is to be read."""
    then = entitlement.then
    values = {
        "plan_id": entitlement.plan_id,
        "status": entitlement.status,
        "source": entitlement.source,
        "product_id": entitlement.product_id,
        "original_transaction_id": entitlement.original_transaction_id,
        "renews_at": entitlement.renews_at,
        "expires_at": entitlement.expires_at,
        "next_plan_id": then.plan_id if then else None,
        "next_ends_at": then.ends_at if then else None,
        "purchase_id": purchase_id,
        "details": dict(entitlement.details),
        "updated_at": now,
    }
    insert = insert_into(session, EntitlementRow)
    row = insert.values(owner_kind=owner.kind, owner_id=owner.id, **values)
    key = [EntitlementRow.owner_kind, EntitlementRow.owner_id]
    await session.execute(row.on_conflict_do_update(index_elements=key, set_=values))


def _derive(purchases: Sequence[Held], now: datetime, user_id: str, policy: StorePolicy) -> Derived:
    sandbox = policy.admits(Environment.SANDBOX, user_id)
    return derive(purchases, now, sandbox=sandbox, leeway=policy.leeway)


def _steps(
    before: Entitlement,
    purchases: Sequence[Held],
    user_id: str,
    policy: StorePolicy,
    now: datetime,
) -> list[Entitlement]:
    """Return what held between, where several purchases have ended since anybody looked."""
    if before.expires_at is None:
        return []
    since = before.expires_at
    ended = [
        (end, one)
        for one in purchases
        if (end := ends_at(one, leeway=policy.leeway)) is not None and since <= end <= now
    ]
    gone: set[UUID] = set()
    steps: list[Entitlement] = []
    for end, one in sorted(ended, key=lambda each: (each[0], each[1].id))[:-1]:
        gone.add(one.id)
        left = [other for other in purchases if other.id not in gone]
        if any(access(other, end - JUST_BEFORE, leeway=policy.leeway) for other in left):
            steps.append(_derive(left, end - JUST_BEFORE, user_id, policy).entitlement)
    return steps


async def _write_history(
    session: AsyncSession,
    owner: Owner,
    before: Entitlement,
    after: Entitlement,
    cause: Cause,
    *,
    now: datetime,
) -> None:
    session.add(
        EntitlementChange(
            id=new_id(),
            owner_kind=owner.kind,
            owner_id=owner.id,
            at=now,
            cause=cause.by,
            cause_id=cause.id,
            before=shown(before),
            after=shown(after),
        )
    )
    await session.flush()


async def _announce(
    session: AsyncSession, user_id: str, before: Entitlement, after: Entitlement, *, now: datetime
) -> None:
    had, has = _pays(before), _pays(after)
    if not had and not has:
        return
    kind = NoticeType.ENTITLEMENT_CHANGED
    if not had:
        kind = NoticeType.ENTITLEMENT_ACTIVATED
    elif not has:
        kind = NoticeType.ENTITLEMENT_EXPIRED
    data = {"user_id": user_id, **shown(after), "previous": shown(before)}
    await announce(session, Notice(type=kind, subject=f"user:{user_id}", data=data), now=now)


def _pays(entitlement: Entitlement) -> bool:
    """Tell whether it gives more than everybody has."""
    return entitlement.status is EntitlementStatus.ACTIVE and entitlement.plan_id != FREE


def shown(entitlement: Entitlement) -> dict[str, object]:
    """Return an entitlement as JSON has it."""
    return {
        "plan_id": entitlement.plan_id,
        "status": str(entitlement.status),
        "source": str(entitlement.source),
        "product_id": entitlement.product_id,
        "original_transaction_id": entitlement.original_transaction_id,
        "renews_at": _written(entitlement.renews_at),
        "expires_at": _written(entitlement.expires_at),
        "metadata": dict(entitlement.details),
    }


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _id(purchase: Held | None) -> UUID | None:
    return purchase.id if purchase else None
