"""The ledger's commands on wallets in memory; what they decide, ``Book`` and the rules decide."""

from datetime import datetime
from uuid import UUID

from medici.domain.ledger import rules
from medici.domain.ledger.book import Book
from medici.domain.ledger.errors import (
    HoldAlreadyResolved,
    IdempotencyKeyReused,
    InsufficientCredits,
)
from medici.domain.ledger.models import Account, HoldStatus, PostingKind
from medici.domain.ledger.rules import Move, Request
from medici.domain.ledger.service.holds import ENDINGS
from medici.domain.ledger.values import GrantTerms, Memo
from tests.sim.bugs import Bug
from tests.sim.rows import Hold, Store, Wallet

MEMO = Memo(actor="user:ada", reason="simulated")


class Till:
    """Gives, holds, captures and returns credits."""

    def __init__(self, store: Store, bug: Bug | None) -> None:
        self._store = store
        self._bug = bug

    def give(self, wallet: Wallet, terms: GrantTerms, *, delivery: str, now: datetime) -> None:
        """Issue a grant once per source and reference."""
        key = f"{terms.source}:{terms.source_ref}"
        if self._bug is Bug.KEYED_BY_DELIVERY:
            key = delivery
        request = rules.request(wallet.id, "grant", key, terms.amount)
        if _known(wallet, request) is not None:
            return
        book = self._open(wallet, now)
        grant = book.add(terms)
        moves: tuple[Move, ...] = ()
        if grant.issued_seq is not None:
            moves = rules.transfer([grant.whole], Account.ISSUED, Account.AVAILABLE)
            if grant.ended(book.now):
                moves += rules.transfer([grant.whole], Account.AVAILABLE, Account.EXPIRED)
        book.post(
            PostingKind.GRANT,
            moves,
            memo=MEMO,
            amount=terms.amount,
            subject_id=grant.id,
            request=request,
        )
        self._write(wallet, book)

    def hold(
        self, wallet: Wallet, amount: int, *, reference: str, expires_at: datetime, now: datetime
    ) -> Hold:
        """Set credits aside, once per reference; raises as the book does."""
        request = rules.request(wallet.id, "hold", reference, amount)
        if (known := _known(wallet, request)) is not None:
            return self._store.holds[known]
        book = self._open(wallet, now)
        slices = book.burn(amount)
        hold = Hold(
            id=self._store.new_id(),
            wallet=wallet,
            amount=amount,
            expires_at=expires_at,
            lines=slices,
        )
        book.post(
            PostingKind.HOLD,
            rules.transfer(slices, Account.AVAILABLE, Account.HELD),
            memo=MEMO,
            amount=amount,
            subject_id=hold.id,
            request=request,
            hold_id=hold.id,
        )
        self._store.holds[hold.id] = hold
        self._write(wallet, book)
        return hold

    def charge(self, hold: Hold, *, now: datetime) -> None:
        """Take what was held, however late."""
        if hold.status is not HoldStatus.EXPIRED:
            self.end(hold, HoldStatus.CAPTURED, now=now)
            return
        wallet = hold.wallet
        request = rules.request(wallet.id, "late", hold.id.hex, hold.amount)
        if _known(wallet, request) is not None:
            return
        book = self._open(wallet, now)
        kind, moves = _late_moves(book, hold.amount)
        book.post(
            kind,
            moves,
            memo=MEMO,
            amount=hold.amount,
            subject_id=hold.id,
            request=request,
            hold_id=hold.id,
        )
        self._write(wallet, book)

    def release(self, hold: Hold, *, now: datetime) -> None:
        """Give back what was held, unless it went back by itself."""
        try:
            self.end(hold, HoldStatus.VOIDED, now=now)
        except HoldAlreadyResolved as resolved:
            if resolved.status is not HoldStatus.EXPIRED:
                raise

    def end(self, hold: Hold, status: HoldStatus, *, now: datetime) -> None:
        """End a hold in one of three ways, once; all of it is captured, or nothing."""
        if hold.status is not HoldStatus.PENDING and not self._captures_again(hold, status):
            if hold.status is not status:
                raise HoldAlreadyResolved(hold.status)
            return
        book = self._open(hold.wallet, now)
        hold.captured = hold.amount if status is HoldStatus.CAPTURED else 0
        spent, returned = rules.split(hold.lines, hold.captured)
        hold.status = status
        back = rules.give_back(returned, Account.HELD, book.grants, book.now)
        book.post(
            ENDINGS[status],
            (*rules.transfer(spent, Account.HELD, Account.CONSUMED), *back),
            memo=MEMO,
            amount=hold.amount,
            subject_id=hold.id,
            hold_id=hold.id,
        )
        self._write(hold.wallet, book)

    def sweep(self, now: datetime) -> None:
        """End holds whose time is over, and book what time has done to grants."""
        for hold in tuple(self._store.holds.values()):
            if hold.status is HoldStatus.PENDING and hold.expires_at <= max(
                now, hold.wallet.last_at
            ):
                self.end(hold, HoldStatus.EXPIRED, now=now)
        for wallet in self._store.wallets:
            self._write(wallet, self._open(wallet, now))

    def _captures_again(self, hold: Hold, status: HoldStatus) -> bool:
        twice = hold.status is status is HoldStatus.CAPTURED
        return twice and self._bug is Bug.CAPTURE_REPEATS

    def _open(self, wallet: Wallet, now: datetime) -> Book:
        book = Book(
            wallet_id=wallet.id,
            available=wallet.available,
            held=wallet.held,
            seq=wallet.seq,
            now=max(now, wallet.last_at),
            parked=False,
            grants=dict(wallet.grants),
            new_id=self._store.new_id,
        )
        if self._bug is not Bug.EXPIRED_SPENT:
            book.settle()
        return book

    def _write(self, wallet: Wallet, book: Book) -> None:
        wallet.available, wallet.held, wallet.seq = book.available, book.held, book.seq
        wallet.grants = book.grants
        for posting in book.postings:
            wallet.last_at = book.now
            wallet.postings.append((book.now, posting))
            if (made := posting.request) is not None:
                kept = (made.fingerprint, posting.subject_id)
                wallet.requests[made.scope, made.key] = kept
        if book.postings:
            self._store.changed_wallets[wallet] = None


def _known(wallet: Wallet, request: Request) -> UUID | None:
    found = wallet.requests.get((request.scope, request.key))
    if found is None:
        return None
    fingerprint, subject = found
    if fingerprint != request.fingerprint:
        raise IdempotencyKeyReused("another request")
    return subject


def _late_moves(book: Book, amount: int) -> tuple[PostingKind, tuple[Move, ...]]:
    try:
        slices = book.burn(amount)
    except InsufficientCredits:
        owed = Move(
            source=Account.WRITTEN_OFF, target=Account.CONSUMED, amount=amount, grant_id=None
        )
        return PostingKind.WRITE_OFF, (owed,)
    return PostingKind.LATE_CAPTURE, rules.transfer(slices, Account.AVAILABLE, Account.CONSUMED)
