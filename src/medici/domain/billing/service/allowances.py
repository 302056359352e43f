"""Giving each day's credits: once, whoever touches the wallet first."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing import queries
from medici.domain.billing.allowance import Owed, Window, owed
from medici.domain.billing.queries import EffectivePlan
from medici.domain.identity.owner import Owner
from medici.domain.ledger import decisions
from medici.domain.ledger.book import Book
from medici.domain.ledger.models import GrantSource
from medici.domain.ledger.queries import locked_wallet
from medici.domain.ledger.rules import same_period
from medici.domain.ledger.service.grants import renew_grant, top_up_grant
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.values import GrantTerms, Memo, Posted

RENEWED = Memo(actor="system", reason="daily_reset")
TOPPED_UP = Memo(actor="system", reason="daily_top_up")


async def ensure_allowance(session: AsyncSession, *, owner: Owner, now: datetime) -> int:
    """Give the owner today's credits unless they were given; return how many that were.

    The first touch of a window expires what is left of the day before. A plan that gives more than
    the day has had adds the difference, once per plan. Cheap when there is nothing to do.
    """
    schedule = await queries.reset_schedule(session)
    plan = await queries.effective_plan(session, owner=owner, now=now)
    if not schedule.enabled or plan.daily_credits == 0:
        return 0

    window = schedule.window(now)
    wallet_id = await open_wallet(session, owner=owner, now=now)
    if await _owed(session, wallet_id, window, plan) is None:
        return 0
    return await _give(session, wallet_id, window, plan, now=now)


def give_on_book(book: Book, given: dict[str, int], plan: EffectivePlan, window: Window) -> int:
    """Do the same on an open book; ``given`` is what the window has had, and is brought up to date.

    Nothing is given to a parked wallet.
    """
    due = owed(given, window, plan_id=plan.plan_id, target=plan.daily_credits)
    if due is None or book.parked:
        return 0
    terms = _terms(due, window)
    if not due.tops_up:
        decisions.renew(book, terms, RENEWED)
    else:
        period = window.schedule_date.isoformat()
        had = sum(amount for ref, amount in given.items() if same_period(ref, period))
        more = decisions.raised(terms, had)
        if more is None:
            return 0
        request = decisions.grant_request(book.wallet_id, terms)
        terms = more
        decisions.issue(book, terms, TOPPED_UP, request)
    given[terms.source_ref] = terms.amount
    return terms.amount


def _terms(due: Owed, window: Window) -> GrantTerms:
    return GrantTerms(
        source=GrantSource.PLAN_DAILY,
        source_ref=due.source_ref,
        amount=due.target,
        expires_at=window.ends_at,
    )


async def _give(
    session: AsyncSession, wallet_id: UUID, window: Window, plan: EffectivePlan, *, now: datetime
) -> int:
    wallet = await locked_wallet(session, wallet_id)
    # Somebody may have given it between the first look and the lock.
    due = await _owed(session, wallet_id, window, plan)
    if due is None or wallet.parked_at is not None:
        return 0
    posted = await _post(session, wallet_id, due, window, now=now)
    return posted.amount if posted else 0


async def _owed(
    session: AsyncSession, wallet_id: UUID, window: Window, plan: EffectivePlan
) -> Owed | None:
    given = await queries.allowances_since(session, wallet_id=wallet_id, day=window.schedule_date)
    return owed(given, window, plan_id=plan.plan_id, target=plan.daily_credits)


async def _post(
    session: AsyncSession, wallet_id: UUID, due: Owed, window: Window, *, now: datetime
) -> Posted | None:
    terms = _terms(due, window)
    if not due.tops_up:
        return await renew_grant(session, wallet_id=wallet_id, terms=terms, memo=RENEWED, now=now)
    return await top_up_grant(
        session,
        wallet_id=wallet_id,
        terms=terms,
        period=window.schedule_date.isoformat(),
        memo=TOPPED_UP,
        now=now,
    )
