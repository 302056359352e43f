"""Looks at every posting: whether it balances, and whether it took and gave the right credits."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from medici.domain.ledger.book import Posting
from medici.domain.ledger.models import Account, GrantCategory, GrantSource, PostingKind
from medici.domain.ledger.rules import GrantState, Move
from tests.sim.promises import hold_to
from tests.sim.rows import Wallet

OWN = (Account.AVAILABLE, Account.HELD)
SPENDINGS = {Account.HELD, Account.CONSUMED}
CHARGES = frozenset({PostingKind.CAPTURE, PostingKind.LATE_CAPTURE, PostingKind.WRITE_OFF})
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Sums:
    """One wallet as its entries have it."""

    seq: int = 0
    entries: Counter[Account] = field(default_factory=Counter)
    free: Counter[UUID] = field(default_factory=Counter)  # of each grant
    best_day: int = 0  # the most that any of the owner's plans gives in a day
    purchased: int = 0


class Bookkeeper:
    """Reckons every wallet anew from its postings."""

    def __init__(self) -> None:
        self._sums: dict[UUID, Sums] = defaultdict(Sums)
        self._charges: Counter[UUID] = Counter()
        self._paid_for: set[str] = set()

    def note_purchase(self, wallet: Wallet, purchase: str, amount: int) -> None:
        if purchase not in self._paid_for:
            self._paid_for.add(purchase)
            self._sums[wallet.id].purchased += amount

    def charges(self, hold_id: UUID) -> int:
        return self._charges[hold_id]

    def look(self, wallet: Wallet) -> None:
        sums = self._sums[wallet.id]
        for at, posting in wallet.postings:
            self._posting(wallet, sums, at, posting)
        wallet.postings.clear()
        known = tuple(sums.entries[account] for account in OWN)
        hold_to((wallet.available, wallet.held) == known, "a wallet is not the sum of its entries")
        hold_to(min(known) >= 0, "a wallet is overdrawn")
        hold_to(wallet.seq == sums.seq, "a wallet's transactions are not counted")
        for grant in wallet.grants.values():
            parts = (grant.consumed, grant.held, grant.expired, grant.revoked)
            hold_to(min(parts) >= 0 and sum(parts) <= grant.amount, "a grant is overspent")
        free = sum(grant.free for grant in wallet.grants.values())
        hold_to(free == wallet.available, "a wallet is not the sum of its grants")
        bought = sum(g.amount for g in wallet.grants.values() if g.source is GrantSource.PACK)
        hold_to(bought == sums.purchased, "a purchase was counted twice, or not at all")
        _days(wallet, sums)

    def _posting(self, wallet: Wallet, sums: Sums, at: datetime, posting: Posting) -> None:
        sums.seq += 1
        hold_to(posting.seq == sums.seq, "a wallet's transactions have a gap")
        entries: Counter[Account] = Counter()
        for move in posting.moves:
            entries[move.source] -= move.amount
            entries[move.target] += move.amount
            if move.grant_id is not None:
                _moved(wallet.grants[move.grant_id], move, sums, at)
        hold_to(sum(entries.values()) == 0, "a transaction does not balance")
        sums.entries.update(entries)
        _in_order(wallet, sums, posting)
        if posting.kind in CHARGES and posting.hold_id is not None:
            self._charges[posting.hold_id] += 1
            hold_to(self._charges[posting.hold_id] == 1, "a hold was charged twice")


def _moved(grant: GrantState, move: Move, sums: Sums, at: datetime) -> None:
    sums.free[grant.id] += move.amount * (
        (move.target is Account.AVAILABLE) - (move.source is Account.AVAILABLE)
    )
    over = (grant.expires_at or NEVER) <= at or (grant.closed_at or NEVER) < at
    if move.source is Account.AVAILABLE and move.target in SPENDINGS:
        hold_to(not over, "credits were spent after their time")
    if move.source is Account.HELD and move.target is Account.AVAILABLE:
        hold_to(not over, "credits went back to a grant that has ended")


def _in_order(wallet: Wallet, sums: Sums, posting: Posting) -> None:
    """Nothing is spent while credits are free that are to go before it."""
    spent = [
        wallet.grants[move.grant_id]
        for move in posting.moves
        if move.source is Account.AVAILABLE and move.target in SPENDINGS and move.grant_id
    ]
    last = max(map(_turn, spent), default=None)
    if last is not None:
        passed_over = [g for g in wallet.grants.values() if _turn(g) < last and sums.free[g.id]]
        hold_to(not passed_over, "credits were spent before others whose turn it was")


def _turn(grant: GrantState) -> tuple[int, datetime, bool, int]:
    paid = grant.category is GrantCategory.PAID
    return grant.priority, grant.expires_at or NEVER, paid, grant.created_seq


def _days(wallet: Wallet, sums: Sums) -> None:
    """A day gives what the best plan of the day gives, and only one day's credits are free."""
    sums.best_day = max(sums.best_day, wallet.plan.daily_credits)
    given: Counter[str] = Counter()
    free: set[str] = set()
    for grant in wallet.grants.values():
        if grant.source is GrantSource.PLAN_DAILY:
            day = grant.source_ref[: len("2026-11-24")]
            given[day] += grant.amount
            free |= {day} if grant.free else set()
    hold_to(max(given.values(), default=0) <= sums.best_day, "a day gives more than any plan")
    hold_to(len(free) <= 1, "the credits of two days are free at once")
