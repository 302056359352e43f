"""From what a store has told about a lineage to how it stands. Pure.

Messages are put in their order first, so it does not matter in which one they came.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from medici.adapters.payments.news import (
    AuthMode,
    Buyer,
    PurchaseState,
    Standing,
    Unset,
)
from medici.domain.billing.derive import RELAYED

# At the same moment, what takes more away counts.
GRAVITY: Mapping[PurchaseState, int] = {
    PurchaseState.PENDING: 0,
    PurchaseState.TRIALING: 1,
    PurchaseState.ACTIVE: 1,
    PurchaseState.GRACE: 2,
    PurchaseState.PAUSED: 3,
    PurchaseState.BILLING_RETRY: 4,
    PurchaseState.EXPIRED: 5,
    PurchaseState.REVOKED: 6,
}
Place: TypeAlias = tuple[datetime, bool, int, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one message said about one lineage; ``id`` rises in the order in which they came."""

    id: UUID
    event_id: str
    event_time: datetime
    auth_mode: AuthMode
    buyer: Buyer
    standing: Standing

    @property
    def name(self) -> str:
        """Return what a message that takes this one's place would follow."""
        return self.standing.handle or self.standing.lineage_id

    @property
    def place(self) -> Place:
        """Return where it stands among the messages of its lineage.

        What an operator does comes in the order in which they do it.
        """
        by_hand = self.auth_mode is AuthMode.OPERATOR
        return (
            self.event_time,
            self.auth_mode not in RELAYED,
            0 if by_hand else GRAVITY[self.standing.state],
            self.event_id,
            self.standing.lineage_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """How a lineage stands by all that was told; no date in ``standing`` is KEPT any more."""

    standing: Standing
    expires_at: datetime | None
    renews_at: datetime | None
    started_at: datetime
    newest: Told


def fold(told: Iterable[Told]) -> Folded:
    """Put the messages of one lineage together; there is at least one.

    Of a purchase that another took the place of, nothing counts but when it began.
    """
    ordered = sorted(told, key=lambda one: one.place)
    counting = _counting(ordered)
    expires_at = renews_at = None
    for one in counting:
        expires_at = _kept(one.standing.expires_at, expires_at)
        renews_at = _kept(one.standing.renews_at, renews_at)
    newest = counting[-1]
    standing = newest.standing
    if standing.over_unless_dated and expires_at is None:
        standing, expires_at = replace(standing, state=PurchaseState.EXPIRED), newest.event_time
    return Folded(
        standing=standing,
        expires_at=expires_at,
        renews_at=renews_at,
        started_at=min(one.standing.started_at or one.event_time for one in ordered),
        newest=newest,
    )


def longest(told: Iterable[Told]) -> Mapping[str, datetime]:
    """Return until when each paid period lasts by what was told of it while it ran."""
    ends: dict[str, datetime] = {}
    for one in told:
        standing = one.standing
        runs = standing.state in {PurchaseState.ACTIVE, PurchaseState.TRIALING}
        if runs and standing.transaction_id and isinstance(standing.expires_at, datetime):
            known = ends.get(standing.transaction_id, standing.expires_at)
            ends[standing.transaction_id] = max(known, standing.expires_at)
    return ends


def _counting(ordered: Sequence[Told]) -> Sequence[Told]:
    replaced: Collection[str] = {
        one.standing.follows for one in ordered if one.standing.follows is not None
    }
    return [one for one in ordered if one.name not in replaced] or ordered


def _kept(said: datetime | Unset | None, known: datetime | None) -> datetime | None:
    return known if isinstance(said, Unset) else said
