"""The ledger's decisions: which credits go, and from where to where. No database, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from medici.domain.ledger.errors import InvalidAmount
from medici.domain.ledger.models import Account, GrantCategory, GrantSource

PRIORITY = {
    GrantSource.PLAN_DAILY: 10,
    GrantSource.TRIAL: 20,
    GrantSource.PLAN_PERIOD: 30,
    GrantSource.PROMO: 40,
    GrantSource.WELCOME: 40,
    GrantSource.REFUND: 45,
    GrantSource.ADMIN: 50,
    GrantSource.PACK: 80,
}
PAID_SOURCES = frozenset({GrantSource.PLAN_PERIOD, GrantSource.PACK})
REFUND_LIFETIME = timedelta(days=30)
MAX_AMOUNT = 10**12  # far above any price, far below what a column holds
NEVER = datetime.max.replace(tzinfo=UTC)

BurnOrder = tuple[int, datetime, bool, int, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A number of credits out of one grant."""

    grant_id: UUID
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantState:
    """A grant as decisions see it; the same numbers as its row."""

    id: UUID
    source: GrantSource
    source_ref: str
    category: GrantCategory
    priority: int
    amount: int
    consumed: int = 0
    held: int = 0
    expired: int = 0
    revoked: int = 0
    effective_at: datetime
    expires_at: datetime | None
    closed_at: datetime | None = None
    created_seq: int
    issued_seq: int | None

    @property
    def unused(self) -> int:
        return self.amount - self.consumed - self.held - self.expired - self.revoked

    @property
    def free(self) -> int:
        """Credits that can be spent; none before the grant has become effective."""
        return self.unused if self.issued_seq is not None else 0

    @property
    def whole(self) -> Slice:
        return Slice(grant_id=self.id, amount=self.amount)

    def ended(self, now: datetime) -> bool:
        return self.closed_at is not None or (self.expires_at or NEVER) <= now

    def spendable(self, now: datetime) -> int:
        """Return what could be spent at a moment, whether or not time has been booked yet."""
        begun = self.issued_seq is not None or self.effective_at <= now
        return self.unused if begun and not self.ended(now) else 0

    def waiting(self, now: datetime) -> bool:
        """Tell whether its time has come but nobody has counted it yet."""
        return self.issued_seq is None and self.effective_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Credits that go from one account to another: two entries that sum to zero."""

    source: Account
    target: Account
    amount: int
    grant_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What makes a request the same one again: where, under which key, with which content."""

    scope: str
    key: str
    fingerprint: str


def scope(wallet_id: UUID, operation: str) -> str:
    return f"{wallet_id.hex}:{operation}"


def request(wallet_id: UUID, operation: str, key: str, *content: object) -> Request:
    """Return the identity of a request. A key counts for one wallet and one operation."""
    return Request(
        scope=scope(wallet_id, operation),
        key=key,
        fingerprint=sha256("\x1f".join(map(str, content)).encode()).hexdigest(),
    )


def require_amount(amount: int) -> None:
    """Refuse what is no number of credits that anybody could mean."""
    if not 1 <= amount <= MAX_AMOUNT:
        raise InvalidAmount(f"{amount} is not a number of credits from 1 to {MAX_AMOUNT}")


def burn_order(
    *,
    priority: int,
    expires_at: datetime | None,
    category: GrantCategory,
    created_seq: int,
    grant_id: UUID,
) -> BurnOrder:
    """Return the sort key of spending: what would be lost first, and what was free, goes first."""
    return (
        priority,
        expires_at or NEVER,
        category is GrantCategory.PAID,
        created_seq,
        grant_id,
    )


def in_burn_order(grants: Iterable[GrantState]) -> list[GrantState]:
    return sorted(
        grants,
        key=lambda grant: burn_order(
            priority=grant.priority,
            expires_at=grant.expires_at,
            category=grant.category,
            created_seq=grant.created_seq,
            grant_id=grant.id,
        ),
    )


def burn(grants: Iterable[GrantState], amount: int) -> tuple[Slice, ...]:
    """Choose which free credits pay ``amount``; the grants must cover it."""
    free = [Slice(grant_id=g.id, amount=g.free) for g in in_burn_order(grants) if g.free]
    return split(free, amount)[0]


def split(slices: Iterable[Slice], amount: int) -> tuple[tuple[Slice, ...], tuple[Slice, ...]]:
    """Cut slices after the first ``amount`` credits, keeping their order.

    Raises:
        ValueError: the slices hold less than ``amount``.
    """
    taken: list[Slice] = []
    rest: list[Slice] = []
    for part in slices:
        wanted = min(part.amount, amount)
        amount -= wanted
        if wanted:
            taken.append(Slice(grant_id=part.grant_id, amount=wanted))
        if part.amount > wanted:
            rest.append(Slice(grant_id=part.grant_id, amount=part.amount - wanted))
    if amount:
        raise ValueError(f"{amount} credits more than the slices hold")
    return tuple(taken), tuple(rest)


def total(slices: Iterable[Slice]) -> int:
    return sum(part.amount for part in slices)


def transfer(slices: Iterable[Slice], source: Account, target: Account) -> tuple[Move, ...]:
    """Move each slice from one account to another."""
    return tuple(
        Move(source=source, target=target, amount=part.amount, grant_id=part.grant_id)
        for part in slices
    )


def give_back(
    slices: Iterable[Slice],
    source: Account,
    grants: Mapping[UUID, GrantState],
    now: datetime,
) -> tuple[Move, ...]:
    """Return slices to the grants they came from; what belongs to an ended grant is lost."""
    return tuple(
        Move(
            source=source,
            target=Account.EXPIRED if grants[part.grant_id].ended(now) else Account.AVAILABLE,
            amount=part.amount,
            grant_id=part.grant_id,
        )
        for part in slices
    )


def lost(moves: Iterable[Move]) -> int:
    """Count the credits that could not go back to an ended grant."""
    return sum(move.amount for move in moves if move.target is Account.EXPIRED)


def default_category(source: GrantSource) -> GrantCategory:
    return GrantCategory.PAID if source in PAID_SOURCES else GrantCategory.PROMOTIONAL


def same_period(source_ref: str, period: str) -> bool:
    """Tell whether a grant belongs to a period: its base (``date``) or a top-up (``date:plan``)."""
    return source_ref == period or source_ref.startswith(f"{period}:")
