"""The ledger's commands on wallets in memory; what they decide, the product decides."""

from datetime import datetime
from uuid import UUID

from medici.domain.billing.allowance import allowance_window, owed
from medici.domain.billing.service.allowances import give_on_book
from medici.domain.ledger import decisions, rules
from medici.domain.ledger.book import Book
from medici.domain.ledger.decisions import HeldCredits
from medici.domain.ledger.errors import HoldAlreadyResolved, IdempotencyKeyReused
from medici.domain.ledger.models import GrantSource, HoldStatus
from medici.domain.ledger.rules import Request
from medici.domain.ledger.values import GrantTerms, Memo, Reference
from tests.sim.bugs import Bug
from tests.sim.mistakes import BackwardsBook, give_in_full
from tests.sim.rows import START, Hold, Store, Wallet

MEMO = Memo(actor="user:ada", reason="simulated")


class Till:
    """Gives, holds, captures and returns credits."""

    def __init__(self, store: Store, bug: Bug | None) -> None:
        self._store = store
        self._bug = bug
        self.reset_hour = 0  # when the day of allowances turns

    def allow(self, wallet: Wallet, *, now: datetime) -> None:
        """Give the day's credits, unless the day has had them."""
        window, plan = allowance_window(now, self.reset_hour, 0), wallet.plan
        if plan.daily_credits == 0:
            return
        book = self._open(wallet, now)
        given = {
            grant.source_ref: grant.amount
            for grant in book.grants.values()
            if grant.source is GrantSource.PLAN_DAILY
            and grant.source_ref >= window.schedule_date.isoformat()
        }
        if self._bug is Bug.ALLOWANCE_AGAIN:
            given = {}
        due = owed(given, window, plan_id=plan.plan_id, target=plan.daily_credits)
        wrong = Bug.UPGRADE_IN_FULL if due and due.tops_up else Bug.DAYS_PILE_UP
        if due and self._bug is wrong:
            give_in_full(book, due, window, MEMO)
        else:
            give_on_book(book, given, plan, window)
        self._write(wallet, book)

    def give(self, wallet: Wallet, terms: GrantTerms, *, delivery: str, now: datetime) -> None:
        """Issue a grant once per source and reference."""
        key = f"{terms.source}:{terms.source_ref}"
        if self._bug is Bug.KEYED_BY_DELIVERY:
            key = delivery
        request = rules.request(wallet.id, "grant", key, terms.amount)
        if _known(wallet, request) is not None:
            return
        book = self._open(wallet, now)
        decisions.issue(book, terms, MEMO, request)
        self._write(wallet, book)

    def hold(
        self, wallet: Wallet, amount: int, *, reference: str, expires_at: datetime, now: datetime
    ) -> Hold:
        """Set credits aside, once per reference; raises as the book does."""
        about = Reference(kind="order", id=reference)
        request = decisions.hold_request(wallet.id, about, amount)
        if (known := _known(wallet, request)) is not None:
            return self._store.holds[known]
        book = self._open(wallet, now)
        placed = decisions.hold(book, amount, about, expires_at, MEMO)
        hold = Hold(
            id=placed.id,
            wallet=wallet,
            amount=amount,
            expires_at=expires_at,
            lines=placed.slices,
        )
        self._store.holds[hold.id] = hold
        self._write(wallet, book)
        return hold

    def charge(self, hold: Hold, *, now: datetime) -> None:
        """Take what was held, however late."""
        if hold.status is not HoldStatus.EXPIRED:
            self.end(hold, HoldStatus.CAPTURED, now=now)
            return
        request = decisions.late_request(hold.wallet.id, hold.id, hold.amount)
        if _known(hold.wallet, request) is None:
            book = self._open(hold.wallet, now)
            decisions.charge_late(book, _held(hold), hold.amount, MEMO)
            self._write(hold.wallet, book)

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
        hold.captured = hold.amount if status is HoldStatus.CAPTURED else 0
        hold.status = status
        book = self._open(hold.wallet, now)
        moment = book.now
        if self._bug is Bug.GIVEN_BACK_LATE:
            book.now = START  # when no grant had ended yet
        decisions.resolve(book, _held(hold), status, hold.captured, MEMO)
        book.now = moment
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
        kind = BackwardsBook if self._bug is Bug.BURNT_BACKWARDS else Book
        book = kind(
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


def _held(hold: Hold) -> HeldCredits:
    about = Reference(kind="order", id=hold.id.hex)
    return HeldCredits(id=hold.id, amount=hold.amount, reference=about, slices=hold.lines)
