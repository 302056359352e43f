"""What settings may say and an operator should know: who will be passed over. Pure."""

from collections.abc import Collection, Iterator, Set
from typing import Protocol

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.routing.errors import NoCandidate
from medici.domain.routing.rules import Problem, candidate_chain
from medici.domain.routing.settings import ProviderSettings, Route, Strategy


class Able(Protocol):
    """Names the providers that can do something."""

    def __call__(self, operation: Operation, tier: Tier, /, *, masked: bool) -> Set[str]: ...


def warnings(settings: ProviderSettings, able: Able) -> tuple[Problem, ...]:
    """Return what does not forbid publishing, each once."""
    found = [*_of_routes(settings), *_of_ranks(settings), *_of_operations(settings, able)]
    return tuple({(each.code, each.message): each for each in found}.values())


def _of_routes(settings: ProviderSettings) -> Iterator[Problem]:
    for place, route in _places(settings):
        named = {route.preview_provider, route.final_provider}
        named |= {each.provider for tier in Tier for each in route.weighted(tier)}
        for name in sorted(named - set(settings.enabled_providers)):
            yield Problem(
                code="route_provider_not_enabled",
                message=f"{name} is named by the route of {place} but not enabled: passed over",
            )
        if route.strategy is Strategy.WEIGHTED and not any(map(route.weighted, Tier)):
            yield Problem(
                code="weighted_without_weights", message=f"the route of {place} names no weights"
            )


def _of_ranks(settings: ProviderSettings) -> Iterator[Problem]:
    """Warn of routes that are written with care and seldom looked at."""
    if not settings.part_routes:
        return
    parts = ", ".join(settings.part_routes)
    for operation, route in settings.operation_routes.items():
        if route.strategy is not Strategy.ORDERED or any(map(route.weighted, Tier)):
            yield Problem(
                code="operation_route_outranked",
                message=f"the route of {operation} comes after those of the parts {parts}",
            )


def _places(settings: ProviderSettings) -> Iterator[tuple[Operation | Part, Route]]:
    yield from settings.operation_routes.items()
    yield from settings.part_routes.items()


def _of_operations(settings: ProviderSettings, able: Able) -> Iterator[Problem]:
    for operation in Operation:
        for tier in Tier:
            yield from _of_work(settings, operation, tier, able)


def _of_work(
    settings: ProviderSettings, operation: Operation, tier: Tier, able: Able
) -> Iterator[Problem]:
    work = f"{operation} as {tier}"
    chain = _served(settings, operation, tier, settings.enabled_providers)
    capable = able(operation, tier, masked=False)
    for name in chain:
        if name not in capable:
            yield Problem(code="provider_not_capable", message=f"{name} cannot {work}: passed over")
    if capable.isdisjoint(chain):
        yield Problem(code="nobody_capable", message=f"no provider of the chain can {work}")
    elif able(operation, tier, masked=True).isdisjoint(chain):
        yield Problem(
            code="nobody_takes_masks", message=f"no provider of the chain takes a mask to {work}"
        )


def _served(
    settings: ProviderSettings, operation: Operation, tier: Tier, reachable: Collection[str]
) -> list[str]:
    try:
        chain = candidate_chain(settings, operation, tier, (), reachable)
    except NoCandidate:
        return []
    return [candidate.provider for candidate in chain]
