"""From purchases to an entitlement: who has access, which purchase counts, and why. Pure.

The same purchases give the same answer in whatever order they were bought or heard of.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from medici.adapters.payments.news import AuthMode, Ownership, PurchaseState, Source
from medici.domain.billing.models import EntitlementStatus
from medici.domain.billing.rules import Entitlement, Succession
from medici.kernel.environment import Environment

NEVER = datetime.max.replace(tzinfo=UTC)
UNKNOWN = datetime.min.replace(tzinfo=UTC)
RELAYED = frozenset({AuthMode.RELAY, AuthMode.OPEN})
RUNNING = frozenset({PurchaseState.TRIALING, PurchaseState.ACTIVE})
OVER = frozenset({PurchaseState.EXPIRED, PurchaseState.REVOKED})
SHOWN: Mapping[PurchaseState, EntitlementStatus] = {
    PurchaseState.PENDING: EntitlementStatus.INACTIVE,
    PurchaseState.PAUSED: EntitlementStatus.INACTIVE,
    PurchaseState.BILLING_RETRY: EntitlementStatus.INACTIVE,
    PurchaseState.REVOKED: EntitlementStatus.CANCELED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A purchase as decisions see it. The fields are those of its row."""

    id: UUID
    source: Source
    lineage_id: str
    product_id: str
    state: PurchaseState
    started_at: datetime
    watermark: datetime
    environment: Environment = Environment.PRODUCTION
    auth_mode: AuthMode = AuthMode.NATIVE
    ownership: Ownership = Ownership.PURCHASED
    plan_id: str | None = None
    plan_price_cents: int | None = None
    expires_at: datetime | None = None
    grace_expires_at: datetime | None = None
    renews_at: datetime | None = None
    revoked_at: datetime | None = None
    lifetime: bool = False
    will_renew: bool = False
    override: bool = False
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def horizon(self) -> datetime:
        """Return the latest moment that is known of it; a purchase for life has no last one."""
        if self.lifetime:
            return NEVER
        known = (self.renews_at, self.expires_at, self.grace_expires_at)
        return max((moment for moment in known if moment), default=UNKNOWN)


class Because(StrEnum):
    """What decides between two purchases, or keeps one out."""

    OVERRIDE = "override"
    PRICE = "plan_price"
    HORIZON = "later_end"
    RENEWS = "will_renew"
    OWNED = "purchased_before_family"
    PROVEN = "native_before_relay"
    OLDER = "older_purchase"
    ID = "id"
    NO_ACCESS = "no_access"
    NO_PLAN = "plan_unknown"
    SANDBOX = "sandbox_not_admitted"


KEPT_OUT = frozenset({Because.NO_ACCESS, Because.NO_PLAN, Because.SANDBOX})

Criterion = Callable[[Held], Any]
ORDER: Sequence[tuple[Because, Criterion]] = (
    (Because.OVERRIDE, lambda one: one.override),
    (Because.PRICE, lambda one: one.plan_price_cents or 0),
    (Because.HORIZON, lambda one: one.horizon),
    (Because.RENEWS, lambda one: one.will_renew),
    (Because.OWNED, lambda one: one.ownership is Ownership.PURCHASED),
    (Because.PROVEN, lambda one: one.auth_mode not in RELAYED),
    (Because.OLDER, lambda one: NEVER - one.started_at),
    (Because.ID, lambda one: -one.id.int),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beaten:
    """A purchase that does not count now, and why."""

    purchase: Held
    because: Because


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What an owner is entitled to. ``beaten`` are the other purchases, the strongest first.

    ``leeway`` is how late renewals were allowed to be.
    """

    entitlement: Entitlement
    winner: Held | None
    shown: Held | None  # the winner, or else the purchase that ended last
    beaten: tuple[Beaten, ...]
    leeway: timedelta = timedelta()


def ends_at(purchase: Held, *, leeway: timedelta = timedelta()) -> datetime | None:
    """Return the first moment without access if nothing more is heard; None for never."""
    if purchase.state is PurchaseState.GRACE:
        return purchase.grace_expires_at or UNKNOWN
    if purchase.state not in RUNNING:
        return UNKNOWN
    if purchase.lifetime or purchase.expires_at is None:
        return None
    return purchase.expires_at + leeway if purchase.will_renew else purchase.expires_at


def access(purchase: Held, now: datetime, *, leeway: timedelta = timedelta()) -> bool:
    """Tell whether a purchase gives access at ``now``."""
    end = ends_at(purchase, leeway=leeway)
    return end is None or end > now


def derive(
    purchases: Iterable[Held],
    now: datetime,
    *,
    sandbox: bool = False,
    leeway: timedelta = timedelta(),
) -> Derived:
    """Choose the purchase that counts. ``sandbox`` admits purchases where money is pretended."""
    ranked = sorted(purchases, key=_rank, reverse=True)
    out = [(one, _kept_out(one, now, sandbox=sandbox, leeway=leeway)) for one in ranked]
    candidates = [one for one, why in out if why is None]
    winner = candidates[0] if candidates else None
    beaten = [
        Beaten(purchase=one, because=why or _difference(candidates[0], one))
        for one, why in out
        if one is not winner
    ]
    if winner is None:
        shown = _latest_known([one for one, why in out if why is Because.NO_ACCESS])
        entitlement = _ended(shown) if shown else Entitlement()
    else:
        shown = winner
        entitlement = _given(winner, _next(candidates, winner, leeway), leeway)
    return Derived(
        entitlement=entitlement, winner=winner, shown=shown, beaten=tuple(beaten), leeway=leeway
    )


def plans_with_access(found: Derived) -> list[str]:
    """Return the plans of every purchase that gives access, the strongest first.

    Beside an operator's override nothing counts.
    """
    if found.winner is None or found.winner.override:
        counting = [found.winner]
    else:
        counting = [
            found.winner,
            *(one.purchase for one in found.beaten if one.because not in KEPT_OUT),
        ]
    return [one.plan_id for one in counting if one is not None and one.plan_id is not None]


def features_of(plan_ids: Iterable[str], features: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the features of plans, each once; of those that are gone nothing is known."""
    return list(dict.fromkeys(each for plan_id in plan_ids for each in features.get(plan_id, ())))


def _rank(one: Held) -> tuple[Any, ...]:
    return tuple(criterion(one) for _, criterion in ORDER)


def _difference(winner: Held, loser: Held) -> Because:
    return next(because for because, of in ORDER if of(winner) != of(loser))


def _kept_out(one: Held, now: datetime, *, sandbox: bool, leeway: timedelta) -> Because | None:
    if one.environment is Environment.SANDBOX and not sandbox:
        return Because.SANDBOX
    if one.plan_id is None:
        return Because.NO_PLAN
    return None if access(one, now, leeway=leeway) else Because.NO_ACCESS


def _latest_known(ended: Sequence[Held]) -> Held | None:
    return max(ended, key=lambda one: (one.watermark, *_rank(one)), default=None)


def _next(candidates: Sequence[Held], winner: Held, leeway: timedelta) -> Succession | None:
    """Return what counts once the winner has ended by the clock."""
    end = ends_at(winner, leeway=leeway)
    if end is None:
        return None
    heir = next((one for one in candidates if access(one, end, leeway=leeway)), None)
    if heir is None or heir.plan_id is None:
        return None
    return Succession(plan_id=heir.plan_id, ends_at=ends_at(heir, leeway=leeway))


def _given(winner: Held, then: Succession | None, leeway: timedelta) -> Entitlement:
    return _entitlement(
        winner,
        status=EntitlementStatus.ACTIVE,
        renews_at=winner.renews_at,
        expires_at=ends_at(winner, leeway=leeway),
        then=then,
    )


def _ended(shown: Held) -> Entitlement:
    by_hand = shown.source is Source.MANUAL
    return _entitlement(
        shown,
        status=SHOWN.get(shown.state, EntitlementStatus.EXPIRED),
        renews_at=shown.renews_at if by_hand else None,
        # What was written by hand is read back as it was written.
        expires_at=shown.expires_at if by_hand else _ended_at(shown),
        then=None,
    )


def _ended_at(shown: Held) -> datetime | None:
    """Return when access ended: before the end that was known where the store says it is over."""
    if shown.state not in OVER:
        return shown.expires_at
    told_at = shown.revoked_at or shown.watermark
    return min(shown.expires_at or told_at, told_at)


def _entitlement(
    one: Held,
    *,
    status: EntitlementStatus,
    renews_at: datetime | None,
    expires_at: datetime | None,
    then: Succession | None,
) -> Entitlement:
    by_hand = one.source is Source.MANUAL
    said = one.details if by_hand else {}
    return Entitlement(
        plan_id=one.plan_id or Entitlement().plan_id,
        status=status,
        source=Source(str(said.get("source", one.source))),
        product_id=_text(said.get("product_id")) if by_hand else one.product_id,
        original_transaction_id=(
            _text(said.get("original_transaction_id")) if by_hand else one.lineage_id
        ),
        renews_at=renews_at,
        expires_at=expires_at,
        then=then,
        details=_object(said.get("metadata")) if by_hand else one.details,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
