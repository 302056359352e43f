"""What choosing a provider costs in processor time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from bench.figures import Figure
from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.routing.outlook import Measured, Outlook, Work
from medici.domain.routing.rules import candidate_chain
from medici.domain.routing.settings import (
    DEFAULT_MODELS,
    ProviderSettings,
    Route,
    Strategy,
    Weighted,
    initial_settings,
)
from medici.kernel.ids import new_id

ROUNDS = 5
CHOICES = 20_000  # of each round
PROMISE = "< 50 us"
NAMES = tuple(DEFAULT_MODELS)
REGISTERED = frozenset(NAMES)
SEEDS = [new_id().bytes for _ in range(CHOICES)]


async def measure() -> list[Figure]:
    """Choose for many renders by each strategy, held against the choice as it is written."""
    outlook = _outlook()
    kinds = {
        "drawn by weight of four": _settings(Strategy.WEIGHTED),
        "cheapest of four": _settings(Strategy.CHEAPEST),
        "fastest of four": _settings(Strategy.FASTEST),
    }
    ordered = [_choices(initial_settings(fal=True, openai=True), outlook) for _ in range(ROUNDS)]
    figures = [_figure("in the order of the route", ordered, [])]
    for what, settings in kinds.items():
        rounds = [_choices(settings, outlook) for _ in range(ROUNDS)]
        figures.append(_figure(what, rounds, ordered))
    return figures


def _figure(what: str, rounds: list[float], ordered: list[float]) -> Figure:
    return Figure(
        what=f"choice of a provider, {what}",
        where="one core",
        unit="us",
        rounds=rounds,
        limit="in the order of the route" if ordered else "",
        limit_rounds=ordered,
        promise=PROMISE,
    )


def _choices(settings: ProviderSettings, outlook: Outlook) -> float:
    """Return how many microseconds of the processor one choice takes."""
    return _microseconds(
        lambda seed: candidate_chain(
            settings,
            Operation.RESTYLE,
            Tier.PREVIEW,
            (Part.FULL_ROOM,),
            REGISTERED,
            seed=seed,
            outlook=outlook,
        )
    )


def _microseconds(choose: Callable[[bytes], object]) -> float:
    began_at = time.process_time()
    for seed in SEEDS:
        choose(seed)
    return (time.process_time() - began_at) / CHOICES * 1_000_000


def _settings(strategy: Strategy) -> ProviderSettings:
    quarters = tuple(Weighted(provider=name, weight=25) for name in NAMES)
    route = Route(
        preview_provider=NAMES[0],
        final_provider=NAMES[0],
        preview_providers=quarters,
        strategy=strategy,
    )
    return initial_settings(fal=True, openai=True).model_copy(
        update={
            "enabled_providers": NAMES,
            "fallback_chain": NAMES,
            "operation_routes": dict.fromkeys(Operation, route),
            "part_routes": {},
        }
    )


def _outlook() -> Outlook:
    """Know half of the providers; the other half is looked up in the price list."""
    known = {
        Work(name, models.preview_model, Operation.RESTYLE, Tier.PREVIEW): Measured(
            samples=500, p50_ms=8_000, p95_ms=20_000, cost_micros=20_000
        )
        for name, models in list(DEFAULT_MODELS.items())[::2]
    }
    return Outlook(day=datetime.now(UTC).date(), measured=known)
