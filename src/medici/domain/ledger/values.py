"""What callers hand in and what they get back."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from medici.domain.ledger.models import (
    GrantCategory,
    GrantSource,
    PostingKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The business object that credits are held for, such as ``render_job`` and its id."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memo:
    """Who caused a posting and why. It stays for ever, so it names nobody but by id."""

    actor: str
    reason: str
    ref: str | None = None

    def about(self, reference: Reference) -> "Memo":
        """Name the business object where the caller did not."""
        return self if self.ref else replace(self, ref=str(reference))


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTerms:
    """Credits to be given.

    ``source`` and ``source_ref`` are the grant's identity: the same pair is given once per wallet.
    For ``pack`` and ``plan_period`` the reference names the store's transaction, so it is unique
    over all wallets. ``category`` and ``priority`` follow from the source unless said otherwise.
    """

    source: GrantSource
    source_ref: str
    amount: int
    effective_at: datetime | None = None  # None: now
    expires_at: datetime | None = None  # None: never
    category: GrantCategory | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A transaction as its caller sees it. A repeated request gets the first one's again."""

    transaction_id: UUID
    kind: PostingKind
    amount: int  # credits asked for that really moved
    available: int  # after it
    held: int  # after it
    subject_id: UUID  # the grant or hold that it made or ended; else the wallet
    applied: bool  # False: the same request had been carried out before


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An unspent rest on its way from one owner to another."""

    revoked: Posted
    issued: Posted | None  # None: nothing was left to move


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantBalance:
    """What is left of one grant."""

    id: UUID
    source: GrantSource
    source_ref: str
    category: GrantCategory
    amount: int
    free: int
    held: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """Credits that end together."""

    amount: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A wallet at one moment, exact even before a sweep has passed. Grants in burn order."""

    wallet_id: UUID
    available: int
    held: int
    next_expiry: Expiring | None
    grants: tuple[GrantBalance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryItem:
    """One transaction of a wallet, with what it changed and what stood after it."""

    transaction_id: UUID
    seq: int
    kind: PostingKind
    available_change: int
    held_change: int
    available: int
    held: int
    actor: str
    reason: str
    ref: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Newest first. ``before`` asks for the next page; None at the end."""

    items: tuple[HistoryItem, ...]
    before: int | None
