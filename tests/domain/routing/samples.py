"""Settings to choose by, and the choice by name."""

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.routing.outlook import UNKNOWN, Outlook
from medici.domain.routing.rules import candidate_chain
from medici.domain.routing.settings import Models, ProviderSettings, Route, Strategy, Weighted

NAMES = ("fal", "openai", "local", "mock", "flux")
ALL = frozenset(NAMES)
MODELS = {name: Models(preview_model=f"{name}-p", final_model=f"{name}-f") for name in NAMES}


def to(provider: str) -> Route:
    return Route(preview_provider=provider, final_provider=provider)


def settings(
    *,
    default: str = "fal",
    enabled: tuple[str, ...] = NAMES,
    fallback: tuple[str, ...] = (),
    operations: dict[Operation, Route] | None = None,
    parts: dict[Part, Route] | None = None,
    models: dict[str, Models] | None = None,
) -> ProviderSettings:
    return ProviderSettings(
        default_provider=default,
        enabled_providers=enabled,
        fallback_chain=fallback,
        operation_routes=operations or {},
        part_routes=parts or {},
        provider_models=MODELS if models is None else models,
    )


def weighing(weights: dict[str, int], *, strategy: Strategy = Strategy.ORDERED) -> ProviderSettings:
    """Give settings whose previews of a restyled room are shared out; then comes mock, then fal."""
    route = Route(
        preview_provider="mock",
        final_provider="fal",
        preview_providers=tuple(Weighted(provider=n, weight=w) for n, w in weights.items()),
        strategy=strategy,
    )
    return settings(operations={Operation.RESTYLE: route})


def twice(name: str) -> Route:
    half = Weighted(provider=name, weight=50)
    return Route(preview_provider=name, final_provider=name, preview_providers=(half, half))


def chain(
    chosen: ProviderSettings,
    *,
    tier: Tier = Tier.PREVIEW,
    parts: tuple[Part, ...] = (Part.FULL_ROOM,),
    registered: frozenset[str] = ALL,
    seed: bytes | None = None,
    outlook: Outlook = UNKNOWN,
) -> list[str]:
    found = candidate_chain(
        chosen, Operation.RESTYLE, tier, parts, registered, seed=seed, outlook=outlook
    )
    return [candidate.provider for candidate in found]
