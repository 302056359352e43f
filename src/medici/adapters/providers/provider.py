"""The Protocol of an image provider, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias, runtime_checkable

from medici.adapters.providers.failure import ProviderFailure
from medici.adapters.providers.request import Operation, RenderRequest, Tier
from medici.kernel.errors import Kind, MediciError

Ref: TypeAlias = Mapping[str, Any]
"""A JSON object that the adapter wrote itself: ids and addresses of the work, never a key."""


class Phase(StrEnum):
    """How far a provider's work has come."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    MODERATED = "moderated"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def is_terminal(self) -> bool:
        return self not in {Phase.QUEUED, Phase.RUNNING}


class CostSource(StrEnum):
    USAGE_TOKENS = "usage_tokens"
    BILLABLE_UNITS = "billable_units"
    PREDICT_TIME = "predict_time"
    PRICE_TABLE = "price_table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the provider charges for one picture, in millionths of a US dollar."""

    amount_micros: int
    source: CostSource = CostSource.PRICE_TABLE
    price_version: str | None = None  # the state of the price list that it was computed with


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One finished picture, width and height in pixels as the provider says (0: it does not).

    ``own_pixels`` marks what Medici itself encoded: free of metadata, and measured.
    """

    data: bytes
    content_type: str
    width: int = 0
    height: int = 0
    own_pixels: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a provider says about its work at one moment.

    ``progress`` runs from 0 to 1 and ``position`` is the place in the provider's queue, from 0;
    both are None where the provider does not tell. ``notes`` are sentences for the customer.
    """

    phase: Phase
    progress: float | None = None
    position: int | None = None
    failure: ProviderFailure | None = None
    cost: Cost | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Accepted work. A provider that works while we wait brings its ``artifacts`` along."""

    ref: Ref
    observation: Observation
    artifacts: tuple[Artifact, ...] = ()


class Recovery(StrEnum):
    """What is known of a submission whose answer was lost."""

    NOT_ACCEPTED = "not_accepted"  # it may be sent again
    UNKNOWN = "unknown"  # it may be running, and charged
    AWAITED = "awaited"  # as UNKNOWN, but if it runs, a webhook will tell us


class CancelOutcome(StrEnum):
    CANCELED = "canceled"
    REQUESTED = "requested"
    TOO_LATE = "too_late"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do. ``max_input_bytes`` bounds one picture."""

    operations: frozenset[Operation]
    tiers: frozenset[Tier] = frozenset(Tier)
    accepts_mask: bool = False
    synchronous: bool = False
    stub: bool = False  # pretends to render, for development
    max_in_flight: int | None = None  # open attempts that it takes from us at once; None: any
    max_input_bytes: int = 15 * 1024 * 1024
    description: str = ""

    def can(self, operation: Operation, tier: Tier, *, masked: bool) -> bool:
        fits = operation in self.operations and tier in self.tiers
        return fits and (self.accepts_mask or not masked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    ok: bool
    detail: str = ""


class Provider(Protocol):
    """An outside system that renders."""

    @property
    def name(self) -> str: ...

    def capabilities(self) -> Capabilities: ...

    def estimate_cost(self, request: RenderRequest) -> Cost: ...

    async def submit(self, request: RenderRequest) -> Submission:
        """Hand the work over, once.

        Raises:
            ProviderFailure: refused, or the outcome is unknown (``TIMEOUT_AMBIGUOUS``).
        """

    async def recover(self, request: RenderRequest) -> Submission | Recovery:
        """Find out what became of a submission whose answer was lost, without sending it again."""

    async def poll(self, ref: Ref) -> Observation: ...

    async def fetch(self, ref: Ref) -> tuple[Artifact, ...]: ...

    async def cancel(self, ref: Ref) -> CancelOutcome: ...

    async def probe(self) -> Health:
        """Tell whether the provider answers, without making a picture that costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """What a provider told us by itself, verified: news of ``ref``. The truth is polled."""

    ref: Ref


class WebhookRefused(MediciError):
    """A webhook whose signature, time or body is not the provider's."""

    kind = Kind.UNAUTHENTICATED
    code = "webhook_signature_invalid"


@runtime_checkable
class Announcing(Protocol):
    """A provider that calls back when its work has ended.

    It is given the address in ``RenderRequest.webhook_url``, where our reference stands.
    """

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Return what a call to our webhook says; header names are in lower case.

        Raises:
            WebhookRefused: it is not the provider's, or too old.
            ProviderFailure: it cannot be judged now, since the keys cannot be had.
        """


@dataclass(frozen=True, slots=True)
class ProviderRegistry:
    """Every provider that this process can reach, by name."""

    by_name: Mapping[str, Provider] = field(default_factory=dict)

    @classmethod
    def of(cls, *providers: Provider) -> "ProviderRegistry":
        return cls({provider.name: provider for provider in providers})

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.by_name)

    def able(self, operation: Operation, tier: Tier, *, masked: bool) -> frozenset[str]:
        """Name the providers that can do this; ``masked`` if only a marked part is to change."""
        return frozenset(
            name
            for name, provider in self.by_name.items()
            if provider.capabilities().can(operation, tier, masked=masked)
        )

    def __getitem__(self, name: str) -> Provider:
        return self.by_name[name]
