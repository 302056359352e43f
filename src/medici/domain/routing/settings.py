"""Provider settings: what the operator decides about providers, as it is stored and sent."""

from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from medici.adapters.providers.request import Operation, Part, Tier

# NUL is what PostgreSQL cannot store.
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]

FAL, OPENAI, MOCK, LOCAL = "fal", "openai", "mock", "local"


class OnModeration(StrEnum):
    """What follows when a provider refuses a picture for its content."""

    STOP = "stop"
    FALLBACK = "fallback"


class OnUncertain(StrEnum):
    """What follows when nobody knows whether a provider took the work, and charges for it."""

    RECONCILE_THEN_FAIL = "reconcile_then_fail"
    FALLBACK = "fallback"


class Strategy(StrEnum):
    """How a route puts its providers in order."""

    ORDERED = "ordered"  # as they are written; where there are weights, drawn by them
    WEIGHTED = "weighted"
    CHEAPEST = "cheapest"
    FASTEST = "fastest"


class Edge(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


COMPARING = frozenset({Strategy.CHEAPEST, Strategy.FASTEST})


class Weighted(Edge):
    """A provider and its share of a route's renders, in percent."""

    provider: Name
    weight: int = Field(ge=1, le=100)


class Route(Edge):
    """The providers of one operation or part, and what follows their two odd outcomes.

    Where ``preview_providers`` or ``final_providers`` are given, each render of that tier draws its
    first provider from them by weight, and the single provider comes after them.
    """

    preview_provider: Name
    final_provider: Name
    preview_providers: tuple[Weighted, ...] = ()
    final_providers: tuple[Weighted, ...] = ()
    strategy: Strategy = Strategy.ORDERED
    on_moderation: OnModeration = OnModeration.STOP
    on_uncertain: OnUncertain = OnUncertain.RECONCILE_THEN_FAIL

    def provider(self, tier: Tier) -> str:
        return self.preview_provider if tier is Tier.PREVIEW else self.final_provider

    def weighted(self, tier: Tier) -> tuple[Weighted, ...]:
        return self.preview_providers if tier is Tier.PREVIEW else self.final_providers

    @property
    def compares(self) -> bool:
        """Tell whether the order depends on what providers cost, or how long they take."""
        return self.strategy in COMPARING


class Models(Edge):
    """The models of one provider."""

    preview_model: Name
    final_model: Name

    def model(self, tier: Tier) -> str:
        return self.preview_model if tier is Tier.PREVIEW else self.final_model


class InFlightCap(Edge):
    """How many open attempts a provider takes from us at once: in all, and of one operation."""

    total: int | None = Field(None, ge=1, le=100_000)
    by_operation: dict[Operation, Annotated[int, Field(ge=1, le=100_000)]] = {}


class CostControls(Edge):
    """Limits on what one render may cost."""

    max_retries: int = Field(1, ge=0, le=10)
    max_output_megapixels: float = Field(1.2, gt=0, le=50, allow_inf_nan=False)
    preview_required_before_final: bool = True

    @property
    def max_output_pixels(self) -> int:
        return round(self.max_output_megapixels * 1_000_000)


class ProviderSettings(Edge):
    """Everything that one version holds. A route that is left out means the default provider."""

    default_provider: Name
    enabled_providers: tuple[Name, ...]
    fallback_chain: tuple[Name, ...]
    operation_routes: dict[Operation, Route]
    part_routes: dict[Part, Route]
    provider_models: dict[Name, Models]
    cost_controls: CostControls = CostControls()
    in_flight_caps: dict[Name, InFlightCap] = {}

    @property
    def routes(self) -> tuple[Route, ...]:
        return (*self.operation_routes.values(), *self.part_routes.values())

    @property
    def compares(self) -> bool:
        """Tell whether any choice depends on what providers cost, or how long they take."""
        return any(route.compares for route in self.routes)


DEFAULT_MODELS = {
    FAL: Models(
        preview_model="fal-ai/flux/dev/image-to-image", final_model="fal-ai/flux-pro/kontext"
    ),
    OPENAI: Models(preview_model="gpt-image-1-mini", final_model="gpt-image-2"),
    MOCK: Models(preview_model="mock-preview", final_model="mock-final"),
    LOCAL: Models(preview_model="local/restyle", final_model="local/restyle"),
}


def initial_settings(*, fal: bool, openai: bool) -> ProviderSettings:
    """Return what a new deployment starts with, by the keys that it has.

    Without any key everything is served by the local provider.
    """
    if fal or openai:
        return _served_by(FAL, chain=(FAL, OPENAI))
    return _served_by(LOCAL, chain=(LOCAL,))


def _served_by(provider: str, *, chain: tuple[str, ...]) -> ProviderSettings:
    route = Route(preview_provider=provider, final_provider=provider)
    return ProviderSettings(
        default_provider=provider,
        enabled_providers=chain,
        fallback_chain=chain,
        operation_routes=dict.fromkeys(Operation, route),
        part_routes=dict.fromkeys(Part, route),
        provider_models=DEFAULT_MODELS,
    )
