"""The choice of providers. Pure, and cheap enough to be made for each render."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.routing.drawing import drawn
from medici.domain.routing.errors import NoCandidate
from medici.domain.routing.outlook import UNKNOWN, Outlook, Work
from medici.domain.routing.settings import ProviderSettings, Route, Strategy

WHOLE = 100  # percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A provider that may serve a render, and its model for it."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why settings cannot be published; ``message`` is a sentence for the operator."""

    code: str
    message: str


def candidate_chain(
    settings: ProviderSettings,
    operation: Operation,
    tier: Tier,
    parts: Collection[Part],
    registered: Collection[str],
    *,
    seed: bytes | None = None,
    outlook: Outlook = UNKNOWN,
) -> tuple[Candidate, ...]:
    """Return who may serve a render, best first, nobody twice.

    ``registered`` names the providers that this process can reach and that can do the work; whoever
    is not among them is passed over before any weight counts. The same ``seed`` always draws the
    same by weight; without one the heaviest comes first. Where the route compares, those of whom
    nothing is known come after the others.

    Raises:
        NoCandidate: nobody is left.
    """
    usable = [
        Candidate(provider=name, model=settings.provider_models[name].model(tier))
        for name in dict.fromkeys(_wishes(settings, operation, tier, parts, seed))
        if name in settings.enabled_providers
        and name in registered
        and name in settings.provider_models
    ]
    if not usable:
        raise NoCandidate(f"no enabled provider serves {operation} as {tier}")
    route = governing_route(settings, operation, parts)
    if route.compares:
        pixels = settings.cost_controls.max_output_pixels
        own = {each.provider for each in route.weighted(tier)} or registered

        def rank(candidate: Candidate) -> tuple[bool, bool, int]:
            work = Work(candidate.provider, candidate.model, operation, tier)
            figure = _figure(route.strategy, outlook, work, pixels)
            return candidate.provider not in own, figure is None, figure or 0

        usable.sort(key=rank)
    return tuple(usable)


def governing_route(
    settings: ProviderSettings, operation: Operation, parts: Collection[Part]
) -> Route:
    """Return the route that a render falls under, whose word counts for odd outcomes."""
    found = next(_routes(settings, operation, parts), None)
    default = settings.default_provider
    return found or Route(preview_provider=default, final_provider=default)


def validate(settings: ProviderSettings, registered: Collection[str]) -> tuple[Problem, ...]:
    """Return everything that forbids publishing these settings; nothing means that they are fine.

    ``registered`` names the providers that may be enabled here.
    """
    return tuple(_problems(settings, registered))


def _wishes(
    settings: ProviderSettings,
    operation: Operation,
    tier: Tier,
    parts: Collection[Part],
    seed: bytes | None,
) -> Iterator[str]:
    for route in _routes(settings, operation, parts):
        if weighted := route.weighted(tier):
            yield from drawn(weighted, seed)
        yield route.provider(tier)
    yield settings.default_provider
    yield from settings.fallback_chain


def _figure(strategy: Strategy, outlook: Outlook, work: Work, pixels: int) -> int | None:
    """Return what providers are compared by, the less the better; None where nobody knows."""
    if strategy is Strategy.CHEAPEST:
        return outlook.cost_micros(work, pixels)
    return outlook.wait_ms(work)


def _routes(
    settings: ProviderSettings, operation: Operation, parts: Collection[Part]
) -> Iterator[Route]:
    # Of several parts none can speak for the whole picture.
    if len(parts) == 1 and (of_part := settings.part_routes.get(next(iter(parts)))):
        yield of_part
    if of_operation := settings.operation_routes.get(operation):
        yield of_operation


def _problems(settings: ProviderSettings, registered: Collection[str]) -> Iterator[Problem]:
    enabled = settings.enabled_providers
    if not enabled:
        yield Problem(code="no_provider_enabled", message="at least one provider must be enabled")
    yield from _each(
        "provider_not_registered", "{} is enabled but unknown here", enabled, registered
    )
    yield from _each(
        "default_provider_not_enabled",
        "{} is the default provider but not enabled",
        [settings.default_provider],
        enabled,
    )
    yield from _each(
        "fallback_provider_not_enabled",
        "{} is in the fallback chain but not enabled",
        settings.fallback_chain,
        enabled,
    )
    yield from _each(
        "provider_without_models",
        "{} is enabled but has no models",
        enabled,
        settings.provider_models,
    )
    for route in dict.fromkeys(settings.routes):
        yield from _weight_problems(route)


def _weight_problems(route: Route) -> Iterator[Problem]:
    for weighted in (route.preview_providers, route.final_providers):
        names = [each.provider for each in weighted]
        if len(names) != len(set(names)):
            yield Problem(code="provider_weighted_twice", message=f"{names} names a provider twice")
        if weighted and sum(each.weight for each in weighted) != WHOLE:
            yield Problem(
                code="weights_not_100_percent", message=f"the weights of {names} do not add to 100"
            )


def _each(
    code: str, sentence: str, names: Iterable[str], allowed: Collection[str]
) -> Iterator[Problem]:
    for name in dict.fromkeys(names):
        if name not in allowed:
            yield Problem(code=code, message=sentence.format(name))
