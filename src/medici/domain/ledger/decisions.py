"""What the commands post on an open book. Nothing is read or written here."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from medici.domain.ledger import rules
from medici.domain.ledger.book import Book, Posting
from medici.domain.ledger.errors import InsufficientCredits, WalletParked
from medici.domain.ledger.models import Account, HoldStatus, PostingKind
from medici.domain.ledger.rules import GrantState, Move, Request, Slice
from medici.domain.ledger.values import GrantTerms, Memo, Reference

ENDINGS = {
    HoldStatus.CAPTURED: PostingKind.CAPTURE,
    HoldStatus.VOIDED: PostingKind.VOID,
    HoldStatus.EXPIRED: PostingKind.HOLD_EXPIRE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHold:
    """A hold that is decided and not yet written; ``slices`` in the order of burning."""

    id: UUID
    wallet_id: UUID
    amount: int
    reference: Reference
    expires_at: datetime
    slices: tuple[Slice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCredits:
    """A hold as decisions see it; ``slices`` in the order of burning."""

    id: UUID
    amount: int
    reference: Reference
    slices: tuple[Slice, ...]


def grant_request(wallet_id: UUID, terms: GrantTerms | GrantState) -> Request:
    """Return what makes giving a grant the same request again: its source and reference."""
    key = f"{terms.source}:{terms.source_ref}"
    return rules.request(wallet_id, "grant", key, terms.amount)


def hold_request(wallet_id: UUID, reference: Reference, amount: int) -> Request:
    """Return what makes a hold the same request again: what it is for."""
    return rules.request(wallet_id, "hold", str(reference), amount)


def issue(book: Book, terms: GrantTerms, memo: Memo, request: Request) -> Posting:
    """Give credits; a grant that has ended already expires at once."""
    grant = book.add(terms)
    return book.post(
        PostingKind.GRANT,
        _issuing_moves(grant, book),
        memo=memo,
        amount=terms.amount,
        subject_id=grant.id,
        request=request,
    )


def renew(book: Book, terms: GrantTerms, memo: Memo) -> Posting:
    """Give credits in the place of what the source gave for other periods."""
    for grant in _replaced(book, terms):
        book.close(grant)
    book.settle()
    return issue(book, terms, memo, grant_request(book.wallet_id, terms))


def hold(
    book: Book, amount: int, reference: Reference, expires_at: datetime, memo: Memo
) -> NewHold:
    """Set credits aside for a piece of work.

    Raises:
        InsufficientCredits: the available credits do not cover ``amount``.
        WalletParked: nothing can be spent from this wallet now.
    """
    hold_id = book.new_id()
    slices = book.burn(amount)
    book.post(
        PostingKind.HOLD,
        rules.transfer(slices, Account.AVAILABLE, Account.HELD),
        memo=memo.about(reference),
        amount=amount,
        subject_id=hold_id,
        request=hold_request(book.wallet_id, reference, amount),
        hold_id=hold_id,
    )
    return NewHold(
        id=hold_id,
        wallet_id=book.wallet_id,
        amount=amount,
        reference=reference,
        expires_at=expires_at,
        slices=slices,
    )


def resolve_request(wallet_id: UUID, hold_id: UUID, status: HoldStatus, captured: int) -> Request:
    """Return what makes ending a hold the same request again."""
    return rules.request(wallet_id, "resolve", hold_id.hex, status, captured)


def late_request(wallet_id: UUID, hold_id: UUID, amount: int) -> Request:
    """Return what makes charging for an expired hold the same request again."""
    return rules.request(wallet_id, "late", hold_id.hex, amount)


def resolve(
    book: Book, held: HeldCredits, status: HoldStatus, captured: int, memo: Memo
) -> tuple[Posting, tuple[Slice, ...]]:
    """End a pending hold; return also the slices that are spent."""
    spent, returned = rules.split(held.slices, captured)
    posting = book.post(
        ENDINGS[status],
        (
            *rules.transfer(spent, Account.HELD, Account.CONSUMED),
            *rules.give_back(returned, Account.HELD, book.grants, book.now),
        ),
        memo=memo.about(held.reference),
        amount=captured or held.amount,
        subject_id=held.id,
        request=resolve_request(book.wallet_id, held.id, status, captured),
        hold_id=held.id,
    )
    return posting, spent


def charge_late(book: Book, held: HeldCredits, amount: int, memo: Memo) -> Posting:
    """Charge for work whose hold has expired, or write it off where the wallet cannot pay."""
    kind, moves = _late_moves(book, amount)
    return book.post(
        kind,
        moves,
        memo=memo.about(held.reference),
        amount=amount,
        subject_id=held.id,
        request=late_request(book.wallet_id, held.id, amount),
        hold_id=held.id,
    )


def _late_moves(book: Book, amount: int) -> tuple[PostingKind, tuple[Move, ...]]:
    try:
        slices = book.burn(amount)
    except (InsufficientCredits, WalletParked):
        owed = Move(
            source=Account.WRITTEN_OFF, target=Account.CONSUMED, amount=amount, grant_id=None
        )
        return PostingKind.WRITE_OFF, (owed,)
    return (
        PostingKind.LATE_CAPTURE,
        rules.transfer(slices, Account.AVAILABLE, Account.CONSUMED),
    )


def _replaced(book: Book, terms: GrantTerms) -> list[GrantState]:
    return [
        grant
        for grant in book.grants.values()
        if grant.source is terms.source
        and not rules.same_period(grant.source_ref, terms.source_ref)
    ]


def _issuing_moves(grant: GrantState, book: Book) -> tuple[Move, ...]:
    if grant.issued_seq is None:
        return ()
    issued = rules.transfer([grant.whole], Account.ISSUED, Account.AVAILABLE)
    if not grant.ended(book.now):
        return issued
    return issued + rules.transfer([grant.whole], Account.AVAILABLE, Account.EXPIRED)


def raised(terms: GrantTerms, given: int) -> GrantTerms | None:
    """Return what a period still lacks of ``terms``; None where it has had as much already."""
    return replace(terms, amount=terms.amount - given) if given < terms.amount else None
