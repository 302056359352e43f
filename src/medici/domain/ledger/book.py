"""One wallet in memory: decide here as often as needed, then write once.

A book is filled from locked rows and is the same for one request or for a batch of them: each
posting sees what the ones before it did.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from medici.domain.ledger import rules
from medici.domain.ledger.errors import BooksDoNotBalance, InsufficientCredits, WalletParked
from medici.domain.ledger.models import Account, PostingKind
from medici.domain.ledger.rules import GrantState, Move, Request, Slice
from medici.domain.ledger.values import GrantTerms, Memo

BY_TIME = Memo(actor="system", reason="time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A transaction that is decided and not yet written."""

    id: UUID
    seq: int
    kind: PostingKind
    moves: tuple[Move, ...]
    amount: int
    available: int
    held: int
    subject_id: UUID
    memo: Memo
    request: Request | None
    hold_id: UUID | None
    reverses: UUID | None


@dataclass(slots=True, kw_only=True)
class Book:
    """The numbers of one locked wallet, and the postings made on them."""

    wallet_id: UUID
    available: int
    held: int
    seq: int
    now: datetime
    parked: bool
    grants: dict[UUID, GrantState]
    new_id: Callable[[], UUID]
    postings: list[Posting] = field(default_factory=list)
    changed: set[UUID] = field(default_factory=set)

    @property
    def opening_seq(self) -> int:
        return self.seq - len(self.postings)

    @property
    def sound(self) -> bool:
        """Tell whether the wallet's two numbers are those of its grants."""
        free = sum(grant.free for grant in self.grants.values())
        held = sum(grant.held for grant in self.grants.values())
        return (self.available, self.held) == (free, held)

    def settle(self) -> None:
        """Book what time alone has done: grants that began, then grants that ended."""
        if begun := [grant for grant in self.grants.values() if grant.waiting(self.now)]:
            for grant in begun:
                self._put(replace(grant, issued_seq=self.seq + 1))
            self._post_by_time(PostingKind.ACTIVATE, begun, Account.ISSUED, Account.AVAILABLE)
        if over := [g for g in self.grants.values() if g.free and g.ended(self.now)]:
            self._post_by_time(PostingKind.EXPIRE, over, Account.AVAILABLE, Account.EXPIRED)

    def burn(self, amount: int) -> tuple[Slice, ...]:
        """Choose the credits that pay ``amount``, without taking them yet.

        Raises:
            WalletParked: the books do not balance, or were found not to.
            InsufficientCredits: the available credits do not cover it.
        """
        if self.parked or not self.sound:
            raise WalletParked("the wallet's books are being checked; nothing can be spent now")
        if self.available < amount:
            raise InsufficientCredits(available=self.available, needed=amount)
        return rules.burn(self.grants.values(), amount)

    def add(self, terms: GrantTerms) -> GrantState:
        """Enter a grant that the next posting issues, or announces if its time is still to come."""
        effective_at = terms.effective_at or self.now
        grant = GrantState(
            id=self.new_id(),
            source=terms.source,
            source_ref=terms.source_ref,
            category=terms.category or rules.default_category(terms.source),
            priority=rules.PRIORITY[terms.source] if terms.priority is None else terms.priority,
            amount=terms.amount,
            effective_at=effective_at,
            expires_at=terms.expires_at,
            created_seq=self.seq + 1,
            issued_seq=self.seq + 1 if effective_at <= self.now else None,
        )
        self._put(grant)
        return grant

    def close(self, grant: GrantState) -> None:
        """End a grant early; its free rest expires with the next ``settle``."""
        self._put(replace(grant, closed_at=self.now))

    def post(
        self,
        kind: PostingKind,
        moves: Iterable[Move],
        *,
        memo: Memo,
        amount: int,
        subject_id: UUID | None = None,
        request: Request | None = None,
        hold_id: UUID | None = None,
        reverses: UUID | None = None,
    ) -> Posting:
        """Carry out moves as the wallet's next transaction.

        Raises:
            BooksDoNotBalance: a number would fall below zero.
        """
        moves = tuple(moves)
        for move in moves:
            self._carry_out(move)
        self.seq += 1
        posting = Posting(
            id=self.new_id(),
            seq=self.seq,
            kind=kind,
            moves=moves,
            amount=amount,
            available=self.available,
            held=self.held,
            subject_id=subject_id or self.wallet_id,
            memo=memo,
            request=request,
            hold_id=hold_id,
            reverses=reverses,
        )
        self.postings.append(posting)
        return posting

    def _post_by_time(
        self, kind: PostingKind, grants: list[GrantState], source: Account, target: Account
    ) -> None:
        # In the order in which they were given, whatever order a database told them in.
        ordered = sorted(grants, key=lambda grant: grant.id)
        slices = [Slice(grant_id=grant.id, amount=grant.unused) for grant in ordered]
        moves = rules.transfer(slices, source, target)
        self.post(kind, moves, memo=BY_TIME, amount=rules.total(slices))

    def _carry_out(self, move: Move) -> None:
        for account, change in ((move.source, -move.amount), (move.target, move.amount)):
            if account is Account.AVAILABLE:
                self.available += change
            elif account is Account.HELD:
                self.held += change
        if move.grant_id is not None:
            self._put(_after(self.grants[move.grant_id], move))
        if self.available < 0 or self.held < 0:
            raise BooksDoNotBalance(self.wallet_id)

    def _put(self, grant: GrantState) -> None:
        parts = (grant.consumed, grant.held, grant.expired, grant.revoked, grant.unused)
        if min(parts) < 0:
            raise BooksDoNotBalance(self.wallet_id)
        self.grants[grant.id] = grant
        self.changed.add(grant.id)


def _after(grant: GrantState, move: Move) -> GrantState:
    return replace(
        grant,
        consumed=grant.consumed + _change(move, Account.CONSUMED),
        held=grant.held + _change(move, Account.HELD),
        expired=grant.expired + _change(move, Account.EXPIRED),
        revoked=grant.revoked + _change(move, Account.REVOKED) + _adjusted_away(move),
    )


def _change(move: Move, account: Account) -> int:
    return move.amount * ((move.target is account) - (move.source is account))


def _adjusted_away(move: Move) -> int:
    return move.amount if move.target is Account.ADJUSTED else 0
