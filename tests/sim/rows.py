"""What the store keeps: the product's columns that its decisions look at."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from medici.adapters.providers.failure import FailureCode
from medici.domain.billing.queries import EffectivePlan
from medici.domain.ledger.book import Posting
from medici.domain.ledger.models import HoldStatus
from medici.domain.ledger.rules import GrantState, Slice
from medici.domain.rendering.models import AttemptState, RenderState
from medici.domain.rendering.rules import Policy
from medici.jobs.kinds import JobKind
from medici.jobs.models import State
from medici.jobs.rules import Standing

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FREE = EffectivePlan(daily_credits=2)


class Violation(AssertionError):
    """The world is in a state that it must never be in."""


@dataclass(slots=True, kw_only=True, eq=False)
class JobRow:
    id: UUID
    kind: JobKind
    args: dict[str, object]
    key: str | None
    due_at: datetime
    state: State = State.READY
    attempts: int = 0
    losses: int = 0
    burial: str | None = None
    rung: bool = False
    fence: int = 0
    lease_until: datetime | None = None

    @property
    def unfinished(self) -> bool:
        return self.state in {State.READY, State.RUNNING}

    @property
    def standing(self) -> Standing:
        return Standing(
            attempts=self.attempts,
            max_attempts=self.kind.attempts,
            losses=self.losses,
            burial=self.burial,
            rung=self.rung,
        )


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    id: UUID
    wallet: "Wallet"
    hold: "Hold"
    candidates: tuple[str, ...]
    policy: Policy
    created_at: datetime
    position: int = 0
    retries: int = 0
    state: RenderState = RenderState.QUEUED
    error_code: str | None = None
    output_id: UUID | None = None
    attempts: list["Attempt"] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Attempt:
    id: UUID
    order: Order
    provider: str
    deadline_at: datetime
    state: AttemptState = AttemptState.SENDING
    ref: dict[str, str] | None = None
    polls: int = 0
    failure_code: FailureCode | None = None
    retry_after_seconds: float | None = None
    cost_uncertain: bool = False
    finished: bool = False  # not the same as its state, which may be uncertain before and after

    def close(self, state: AttemptState) -> None:
        self.state = state
        self.finished = True

    @property
    def outcome_known(self) -> bool:
        lost = self.failure_code is FailureCode.TIMEOUT_AMBIGUOUS
        return self.finished and not lost and self.state is not AttemptState.UNCERTAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An attempt that began, or that ended as ``state`` says, by the clock of who did it."""

    attempt: Attempt
    state: AttemptState
    at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Hold:
    id: UUID
    wallet: "Wallet"
    amount: int
    expires_at: datetime
    lines: tuple[Slice, ...]
    status: HoldStatus = HoldStatus.PENDING
    captured: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Wallet:
    id: UUID
    available: int = 0
    held: int = 0
    seq: int = 0
    last_at: datetime = START
    plan: EffectivePlan = FREE
    grants: dict[UUID, GrantState] = field(default_factory=dict)
    requests: dict[tuple[str, str], tuple[str, UUID]] = field(default_factory=dict)
    postings: list[tuple[datetime, Posting]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Store:
    """The database: rows, its clock, and ids that rise."""

    moment: datetime = START
    jobs: dict[UUID, JobRow] = field(default_factory=dict)
    orders: dict[UUID, Order] = field(default_factory=dict)
    attempts: dict[UUID, Attempt] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    wallets: list[Wallet] = field(default_factory=list)
    orders_by_key: dict[str, Order] = field(default_factory=dict)
    turns: deque["Turn"] = field(default_factory=deque)  # that nobody has looked at yet
    changed_orders: dict[Order, None] = field(default_factory=dict)
    changed_wallets: dict[Wallet, None] = field(default_factory=dict)
    last_id: int = 0
    robbed: bool = False  # whoever acts at this moment has lost its lease and does not know it

    def new_id(self) -> UUID:
        self.last_id += 1
        return UUID(int=self.last_id)

    def after(self, seconds: float) -> datetime:
        return self.moment + timedelta(seconds=seconds)
