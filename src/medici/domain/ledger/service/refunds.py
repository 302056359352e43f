"""Giving back what a transaction took: to the same grants while they live, else anew."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import queries, rules
from medici.domain.ledger.book import Book
from medici.domain.ledger.errors import RefundExceedsCharge
from medici.domain.ledger.models import Account, GrantSource, PostingKind
from medici.domain.ledger.rules import Move, Slice
from medici.domain.ledger.service import posting
from medici.domain.ledger.values import GrantTerms, Memo, Posted


async def refund(
    session: AsyncSession,
    *,
    transaction_id: UUID,
    memo: Memo,
    key: str,
    now: datetime,
    amount: int | None = None,
) -> Posted:
    """Undo a charge, or ``amount`` credits of it, the last burnt first.

    Credits of a grant that has ended meanwhile come back as a ``refund`` grant of 30 days.

    Raises:
        RefundExceedsCharge: not as much is left of what the transaction took.
        IdempotencyKeyReused: ``key`` stands for another transaction or amount.
    """
    charge = await queries.transaction(session, transaction_id)
    wallet = await queries.locked_wallet(session, charge.wallet_id)
    request = rules.request(wallet.id, "refund", key, transaction_id, amount)
    if known := await posting.stored(session, request):
        return known
    slices = await _to_return(session, transaction_id, amount)
    book = await posting.open_book(
        session, wallet, now=now, also=[part.grant_id for part in slices]
    )
    made = book.post(
        PostingKind.REFUND,
        _mirror(book, slices, source_ref=f"{transaction_id}:{key}"),
        memo=memo,
        amount=rules.total(slices),
        request=request,
        reverses=transaction_id,
    )
    await posting.write(session, book)
    return posting.posted(made)


async def _to_return(
    session: AsyncSession, transaction_id: UUID, amount: int | None
) -> tuple[Slice, ...]:
    charged = await queries.unrefunded(session, transaction_id)
    left = rules.total(charged)
    wanted = left if amount is None else amount
    if not 1 <= wanted <= left:
        raise RefundExceedsCharge(f"{left} credits are left to give back")
    return rules.split(charged, wanted)[0]


def _mirror(book: Book, slices: tuple[Slice, ...], *, source_ref: str) -> tuple[Move, ...]:
    moves = rules.give_back(slices, Account.CONSUMED, book.grants, book.now)
    if not (lost := rules.lost(moves)):
        return moves
    fresh = book.add(
        GrantTerms(
            source=GrantSource.REFUND,
            source_ref=source_ref,
            amount=lost,
            expires_at=book.now + rules.REFUND_LIFETIME,
        )
    )
    return (*moves, *rules.transfer([fresh.whole], Account.ISSUED, Account.AVAILABLE))
