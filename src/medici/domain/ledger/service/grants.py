"""Giving credits: once, anew for each period, as a difference, or moved to another owner."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import decisions, queries, rules
from medici.domain.ledger.book import Book
from medici.domain.ledger.errors import GrantAlreadyThere
from medici.domain.ledger.models import Account, PostingKind
from medici.domain.ledger.rules import GrantState, Request, Slice
from medici.domain.ledger.service import posting
from medici.domain.ledger.values import GrantTerms, Memo, Moved, Posted


async def issue_grant(
    session: AsyncSession, *, wallet_id: UUID, terms: GrantTerms, memo: Memo, now: datetime
) -> Posted:
    """Give credits once per source and reference; ``subject_id`` of the answer is the grant.

    A grant with a later ``effective_at`` is written down now and counts from then on. One that has
    ended already, such as a late message about a past period, is issued and expires at once.

    Raises:
        IdempotencyKeyReused: the same source and reference gave another amount.
    """
    rules.require_amount(terms.amount)
    wallet = await queries.locked_wallet(session, wallet_id)
    request = decisions.grant_request(wallet_id, terms)
    if known := await posting.stored(session, request):
        return known
    book = await posting.open_book(session, wallet, now=now)
    return await _issue(session, book, terms, memo, request)


async def renew_grant(
    session: AsyncSession, *, wallet_id: UUID, terms: GrantTerms, memo: Memo, now: datetime
) -> Posted:
    """Replace what the same source gave before: its free rest expires, the new grant is issued.

    ``source_ref`` names the period. Calling again for a period changes nothing; grants of other
    sources are never touched; credits that a hold has reserved stay reserved.
    """
    rules.require_amount(terms.amount)
    wallet = await queries.locked_wallet(session, wallet_id)
    request = decisions.grant_request(wallet_id, terms)
    if known := await posting.stored(session, request):
        return known
    book = await posting.open_book(session, wallet, now=now)
    made = decisions.renew(book, terms, memo)
    await posting.write(session, book)
    return posting.posted(made)


async def top_up_grant(
    session: AsyncSession,
    *,
    wallet_id: UUID,
    terms: GrantTerms,
    period: str,
    memo: Memo,
    now: datetime,
) -> Posted | None:
    """Raise what a source has given for a period to ``terms.amount``; never take anything away.

    ``source_ref`` is the period, a colon, and what caused the rise: ``2026-11-24:pro``. None means
    that the period has had as much already.
    """
    rules.require_amount(terms.amount)
    wallet = await queries.locked_wallet(session, wallet_id)
    request = decisions.grant_request(wallet_id, terms)
    if known := await posting.stored(session, request):
        return known
    given = await queries.granted(session, wallet_id=wallet_id, source=terms.source, period=period)
    difference = decisions.raised(terms, given)
    if difference is None:
        return None
    book = await posting.open_book(session, wallet, now=now)
    return await _issue(session, book, difference, memo, request)


async def revoke_grant(
    session: AsyncSession,
    *,
    grant_id: UUID,
    amount: int,
    memo: Memo,
    key: str,
    now: datetime,
) -> Posted:
    """Take back what is still free of a grant, at most ``amount``.

    ``amount`` of the answer is what was taken; the rest was spent, held or had expired.
    """
    rules.require_amount(amount)
    wallet_id = await queries.wallet_of_grant(session, grant_id)
    wallet = await queries.locked_wallet(session, wallet_id)
    request = rules.request(wallet_id, "revoke", key, grant_id, amount)
    if known := await posting.stored(session, request):
        return known
    book = await posting.open_book(session, wallet, now=now, also=[grant_id])
    return await _revoke(session, book, Slice(grant_id=grant_id, amount=amount), memo, request)


async def move_grant(
    session: AsyncSession, *, grant_id: UUID, to_wallet_id: UUID, memo: Memo, now: datetime
) -> Moved:
    """Take the free rest of a grant from its owner and give it to another on the same terms.

    Raises:
        GrantAlreadyThere: the other wallet has had a grant of this source and reference.
    """
    from_wallet_id = await queries.wallet_of_grant(session, grant_id)
    wallets = await queries.locked_wallets(session, {from_wallet_id, to_wallet_id})
    (grant,) = await queries.grants_by_id(session, [grant_id])
    arrival = decisions.grant_request(to_wallet_id, grant)
    request = rules.request(from_wallet_id, "move", grant_id.hex, to_wallet_id)
    if known := await posting.stored(session, request):
        return Moved(revoked=known, issued=await _earlier(session, arrival))
    if await queries.transaction_of(session, arrival):
        raise GrantAlreadyThere("the other wallet has had this grant already")
    book = await posting.open_book(session, wallets[from_wallet_id], now=now, also=[grant_id])
    revoked = await _revoke(session, book, grant.whole, memo, request)
    if not revoked.amount:
        return Moved(revoked=revoked, issued=None)
    other = await posting.open_book(session, wallets[to_wallet_id], now=now)
    terms = _terms(grant, revoked.amount)
    return Moved(revoked=revoked, issued=await _issue(session, other, terms, memo, arrival))


async def _issue(
    session: AsyncSession, book: Book, terms: GrantTerms, memo: Memo, request: Request
) -> Posted:
    made = decisions.issue(book, terms, memo, request)
    await posting.write(session, book)
    return posting.posted(made)


async def _revoke(
    session: AsyncSession, book: Book, part: Slice, memo: Memo, request: Request
) -> Posted:
    taken = min(part.amount, book.grants[part.grant_id].free)
    slices = [replace(part, amount=taken)] if taken else []
    made = book.post(
        PostingKind.REVOKE,
        rules.transfer(slices, Account.AVAILABLE, Account.REVOKED),
        memo=memo,
        amount=taken,
        subject_id=part.grant_id,
        request=request,
    )
    await posting.write(session, book)
    return posting.posted(made)


async def _earlier(session: AsyncSession, arrival: Request) -> Posted | None:
    found = await queries.transaction_of(session, arrival)
    return posting.shown(found) if found else None


def _terms(grant: GrantState, amount: int) -> GrantTerms:
    return GrantTerms(
        source=grant.source,
        source_ref=grant.source_ref,
        amount=amount,
        effective_at=grant.effective_at,
        expires_at=grant.expires_at,
        category=grant.category,
        priority=grant.priority,
    )
