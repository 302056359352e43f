"""Giving a grant more time, and giving back what was taken from it."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import decisions, queries, rules
from medici.domain.ledger.book import Book
from medici.domain.ledger.models import Account, PostingKind
from medici.domain.ledger.rules import GrantState, Move
from medici.domain.ledger.service import posting
from medici.domain.ledger.values import GrantTerms, Memo, Posted


async def extend_grant(
    session: AsyncSession, *, grant_id: UUID, expires_at: datetime, memo: Memo, now: datetime
) -> UUID:
    """Let what was not spent of a grant last until a later end; return the grant that holds it.

    A grant's terms never change, since earlier spending was in their order. So its rest is taken
    back, what expired too early included, and given anew with the later end. Credits that a hold
    has reserved stay where they are.
    """
    wallet_id = await queries.wallet_of_grant(session, grant_id)
    wallet = await queries.locked_wallet(session, wallet_id)
    book = await posting.open_book(session, wallet, now=now, also=[grant_id])
    grant = book.grants[grant_id]
    rest = grant.unused + grant.expired
    if not rest or grant.expires_at is None or grant.expires_at >= expires_at:
        return grant_id
    key = f"{grant_id.hex}:{expires_at.isoformat()}"
    book.post(
        PostingKind.REVOKE,
        _back_to_the_source(grant),
        memo=memo,
        amount=rest,
        subject_id=grant_id,
        request=rules.request(wallet_id, "extend", key, rest),
    )
    terms = _terms(grant, rest, expires_at)
    issued = decisions.issue(book, terms, memo, decisions.grant_request(wallet_id, terms))
    await posting.write(session, book)
    return issued.subject_id


async def restore_grant(
    session: AsyncSession, *, grant_id: UUID, amount: int, memo: Memo, key: str, now: datetime
) -> Posted:
    """Give back credits that were revoked, to the grant that they were taken from.

    ``amount`` of the answer is what came back: no more than was taken. If the grant has ended
    meanwhile, they expire at once.
    """
    rules.require_amount(amount)
    wallet_id = await queries.wallet_of_grant(session, grant_id)
    wallet = await queries.locked_wallet(session, wallet_id)
    request = rules.request(wallet_id, "restore", key, grant_id, amount)
    if known := await posting.stored(session, request):
        return known
    book = await posting.open_book(session, wallet, now=now, also=[grant_id])
    made = book.post(
        PostingKind.GRANT,
        _restoring(book, grant_id, amount),
        memo=memo,
        amount=min(amount, book.grants[grant_id].revoked),
        subject_id=grant_id,
        request=request,
    )
    await posting.write(session, book)
    return posting.posted(made)


def _back_to_the_source(grant: GrantState) -> tuple[Move, ...]:
    moves = (
        Move(
            source=Account.AVAILABLE,
            target=Account.REVOKED,
            amount=grant.unused,
            grant_id=grant.id,
        ),
        Move(
            source=Account.EXPIRED, target=Account.REVOKED, amount=grant.expired, grant_id=grant.id
        ),
    )
    return tuple(move for move in moves if move.amount)


def _terms(grant: GrantState, amount: int, expires_at: datetime) -> GrantTerms:
    return GrantTerms(
        source=grant.source,
        source_ref=f"{grant.source_ref}:until:{expires_at.isoformat()}",
        amount=amount,
        expires_at=expires_at,
        category=grant.category,
        priority=grant.priority,
    )


def _restoring(book: Book, grant_id: UUID, amount: int) -> tuple[Move, ...]:
    grant = book.grants[grant_id]
    part = replace(grant.whole, amount=min(amount, grant.revoked))
    return rules.give_back([part], Account.REVOKED, book.grants, book.now) if part.amount else ()
