"""Spending at once, and corrections by hand."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import queries, rules
from medici.domain.ledger.book import Book
from medici.domain.ledger.models import Account, GrantSource, PostingKind
from medici.domain.ledger.rules import Move
from medici.domain.ledger.service import posting
from medici.domain.ledger.values import GrantTerms, Memo, Posted
from medici.kernel.ids import new_id


async def consume(
    session: AsyncSession,
    *,
    wallet_id: UUID,
    amount: int,
    memo: Memo,
    now: datetime,
    key: str | None = None,
) -> Posted:
    """Spend credits for something that has happened already.

    Raises:
        InsufficientCredits: the available credits do not cover ``amount``.
        WalletParked: nothing can be spent from this wallet now.
        IdempotencyKeyReused: ``key`` stands for another amount, reason or reference.
    """
    rules.require_amount(amount)
    wallet = await queries.locked_wallet(session, wallet_id)
    request = rules.request(
        wallet_id, "consume", key or new_id().hex, amount, memo.reason, memo.ref
    )
    if known := await posting.stored(session, request):
        return known
    book = await posting.open_book(session, wallet, now=now)
    made = book.post(
        PostingKind.CONSUME,
        rules.transfer(book.burn(amount), Account.AVAILABLE, Account.CONSUMED),
        memo=memo,
        amount=amount,
        request=request,
    )
    await posting.write(session, book)
    return posting.posted(made)


async def adjust(
    session: AsyncSession,
    *,
    wallet_id: UUID,
    change: int,
    memo: Memo,
    key: str,
    now: datetime,
) -> Posted:
    """Correct a wallet by hand: a positive ``change`` adds credits, a negative one takes some.

    Raises:
        InsufficientCredits: more would be taken than is available.
        WalletParked: credits would be taken from a parked wallet.
        IdempotencyKeyReused: ``key`` stands for another change or reason.
    """
    rules.require_amount(abs(change))
    wallet = await queries.locked_wallet(session, wallet_id)
    request = rules.request(wallet_id, "adjust", key, change, memo.reason)
    if known := await posting.stored(session, request):
        return known
    book = await posting.open_book(session, wallet, now=now)
    made = book.post(
        PostingKind.ADJUST,
        _correction(book, change, key),
        memo=memo,
        amount=abs(change),
        request=request,
    )
    await posting.write(session, book)
    return posting.posted(made)


def _correction(book: Book, change: int, key: str) -> tuple[Move, ...]:
    if change < 0:
        return rules.transfer(book.burn(-change), Account.AVAILABLE, Account.ADJUSTED)
    grant = book.add(
        GrantTerms(source=GrantSource.ADMIN, source_ref=f"adjust:{key}", amount=change)
    )
    return rules.transfer([grant.whole], Account.ADJUSTED, Account.AVAILABLE)
