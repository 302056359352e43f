"""Who is asked first, who next, and who never."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.routing.errors import NoCandidate
from medici.domain.routing.outlook import UNKNOWN, Measured, Outlook, Work
from medici.domain.routing.rules import (
    Candidate,
    candidate_chain,
    governing_route,
    validate,
)
from medici.domain.routing.settings import (
    Models,
    OnModeration,
    OnUncertain,
    ProviderSettings,
    Route,
    Strategy,
    Weighted,
)

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


routes = st.builds(
    Route, preview_provider=st.sampled_from(NAMES), final_provider=st.sampled_from(NAMES)
)
several = st.lists(st.sampled_from(NAMES), unique=True).map(tuple)
any_settings = st.builds(
    ProviderSettings,
    default_provider=st.sampled_from(NAMES),
    enabled_providers=several,
    fallback_chain=st.lists(st.sampled_from(NAMES), max_size=8).map(tuple),
    operation_routes=st.dictionaries(st.sampled_from(Operation), routes),
    part_routes=st.dictionaries(st.sampled_from(Part), routes),
    provider_models=several.map(lambda names: {name: MODELS[name] for name in names}),
)
any_parts = st.lists(st.sampled_from(Part), max_size=3, unique=True).map(tuple)


def wished(
    chosen: ProviderSettings, operation: Operation, tier: Tier, parts: tuple[Part, ...]
) -> list[str]:
    """Say in the plainest words whom the settings want, in order, with repetitions."""
    field = f"{tier.value}_provider"
    wishes = []
    if len(parts) == 1 and parts[0] in chosen.part_routes:
        wishes.append(getattr(chosen.part_routes[parts[0]], field))
    if operation in chosen.operation_routes:
        wishes.append(getattr(chosen.operation_routes[operation], field))
    return [*wishes, chosen.default_provider, *chosen.fallback_chain]


class TestCandidateChain:
    def test_asks_the_part_then_the_operation_then_the_default_then_the_rest(self) -> None:
        chosen = settings(
            parts={Part.WALLS: to("local")},
            operations={Operation.RESTYLE: to("openai")},
            default="fal",
            fallback=("mock", "flux"),
        )

        assert chain(chosen, parts=(Part.WALLS,)) == ["local", "openai", "fal", "mock", "flux"]

    def test_of_several_parts_none_speaks(self) -> None:
        chosen = settings(parts={Part.WALLS: to("local"), Part.FLOOR: to("local")})

        assert chain(chosen, parts=(Part.WALLS, Part.FLOOR)) == ["fal"]

    def test_the_whole_room_is_a_part_like_any_other(self) -> None:
        assert chain(settings(parts={Part.FULL_ROOM: to("local")})) == ["local", "fal"]

    def test_the_tier_picks_provider_and_model(self) -> None:
        route = Route(preview_provider="local", final_provider="openai")
        chosen = settings(operations={Operation.RESTYLE: route})

        preview, final = (
            candidate_chain(chosen, Operation.RESTYLE, tier, (), ALL)[0]
            for tier in (Tier.PREVIEW, Tier.FINAL)
        )

        assert preview == Candidate(provider="local", model="local-p")
        assert final == Candidate(provider="openai", model="openai-f")

    def test_nobody_is_asked_who_is_disabled_unreachable_or_without_a_model(self) -> None:
        some = {name: models for name, models in MODELS.items() if name != "mock"}
        chosen = settings(enabled=("openai", "local", "mock"), fallback=NAMES, models=some)

        assert chain(chosen, registered=ALL - {"openai"}) == ["local"]

    def test_says_when_nobody_is_left(self) -> None:
        with pytest.raises(NoCandidate):
            chain(settings(fallback=NAMES), registered=frozenset())

    @given(
        any_settings,
        st.sampled_from(Operation),
        st.sampled_from(Tier),
        any_parts,
        st.frozensets(st.sampled_from(NAMES)),
    )
    def test_is_what_was_wished_for_without_the_impossible(
        self,
        chosen: ProviderSettings,
        operation: Operation,
        tier: Tier,
        parts: tuple[Part, ...],
        registered: frozenset[str],
    ) -> None:
        try:
            found = candidate_chain(chosen, operation, tier, parts, registered)
        except NoCandidate:
            found = ()

        names = [candidate.provider for candidate in found]
        wishes = wished(chosen, operation, tier, parts)
        possible = set(chosen.enabled_providers) & registered & set(chosen.provider_models)
        assert len(names) == len(set(names))
        assert set(names) == set(wishes) & possible
        assert names == sorted(names, key=wishes.index)
        assert all(
            candidate.model == f"{candidate.provider}-{tier.value[0]}" for candidate in found
        )


class TestWeights:
    def test_share_renders_out_within_one_percent(self) -> None:
        weights = {"fal": 55, "openai": 30, "local": 14, "flux": 1}
        chosen = weighing(weights)

        first = Counter(chain(chosen, seed=number.to_bytes(16))[0] for number in range(100_000))

        for name, weight in weights.items():
            assert first[name] / 1000 == pytest.approx(weight, abs=1), first

    def test_the_same_render_draws_the_same(self) -> None:
        chosen = weighing({"fal": 50, "openai": 50})

        drawn = {tuple(chain(chosen, seed=b"a render")) for _ in range(10)}

        assert len(drawn) == 1

    def test_those_not_drawn_stand_by_before_the_single_provider(self) -> None:
        found = chain(weighing({"openai": 50, "local": 50}), seed=b"a render")

        assert (set(found[:2]), found[2:]) == ({"openai", "local"}, ["mock", "fal"])

    def test_without_a_render_the_heaviest_stands_first(self) -> None:
        assert chain(weighing({"openai": 20, "local": 80})) == ["local", "openai", "mock", "fal"]

    def test_another_tier_draws_nothing(self) -> None:
        assert chain(weighing({"openai": 100}), tier=Tier.FINAL) == ["fal"]

    def test_who_cannot_do_it_is_passed_over_before_the_draw(self) -> None:
        chosen = weighing({"openai": 98, "local": 1, "flux": 1})

        first = Counter(
            chain(chosen, seed=number.to_bytes(16), registered=ALL - {"openai"})[0]
            for number in range(10_000)
        )

        assert set(first) == {"local", "flux"}
        assert first["local"] / 100 == pytest.approx(50, abs=2)


def kind(provider: str) -> Work:
    return Work(provider, f"{provider}-p", Operation.RESTYLE, Tier.PREVIEW)


def measured(wait_ms: int, cost_micros: int) -> Measured:
    return Measured(samples=9, p50_ms=wait_ms, p95_ms=2 * wait_ms, cost_micros=cost_micros)


class TestComparing:
    OUTLOOK = Outlook(
        measured={
            kind("fal"): measured(900, 40_000),
            kind("openai"): measured(8_000, 5_000),
            kind("local"): measured(2_000, 90_000),
        }
    )

    @pytest.mark.parametrize(
        ("strategy", "order"),
        [
            (Strategy.CHEAPEST, ["openai", "fal", "local", "mock"]),
            (Strategy.FASTEST, ["fal", "local", "openai", "mock"]),
        ],
    )
    def test_orders_the_routes_own_providers(self, strategy: Strategy, order: list[str]) -> None:
        chosen = weighing({"local": 50, "fal": 25, "openai": 25}, strategy=strategy)

        assert chain(chosen, outlook=self.OUTLOOK, seed=b"any") == order

    def test_orders_the_whole_chain_where_the_route_names_no_others(self) -> None:
        chosen = weighing({}, strategy=Strategy.FASTEST).model_copy(
            update={"fallback_chain": ("local", "openai")}
        )

        # Nobody has measured mock.
        assert chain(chosen, outlook=self.OUTLOOK) == ["fal", "local", "openai", "mock"]

    def test_falls_back_on_the_price_list(self) -> None:
        models = {
            "fal": Models(preview_model="fal-ai/flux-pro/kontext", final_model="x"),
            "openai": Models(preview_model="gpt-image-1-mini", final_model="x"),
            "local": Models(preview_model="local/restyle", final_model="x"),
            "flux": Models(preview_model="nobody-knows", final_model="x"),
        }
        route = to("flux").model_copy(update={"strategy": Strategy.CHEAPEST})
        chosen = settings(
            operations={Operation.RESTYLE: route}, fallback=("openai", "local"), models=models
        )

        found = chain(chosen, outlook=Outlook(day=date(2026, 11, 24)))

        assert found == ["local", "openai", "fal", "flux"]


class TestGoverningRoute:
    def test_is_the_part_before_the_operation(self) -> None:
        strict = to("fal")
        loose = Route(
            preview_provider="fal",
            final_provider="fal",
            on_moderation=OnModeration.FALLBACK,
            on_uncertain=OnUncertain.FALLBACK,
        )
        chosen = settings(parts={Part.DECOR: loose}, operations={Operation.REMOVE: strict})

        assert governing_route(chosen, Operation.REMOVE, [Part.DECOR]) is loose
        assert governing_route(chosen, Operation.REMOVE, [Part.DECOR, Part.WALLS]) is strict

    def test_without_any_the_careful_defaults_hold(self) -> None:
        assert governing_route(settings(), Operation.REMOVE, [Part.DECOR]) == to("fal")


class TestValidate:
    @pytest.mark.parametrize(
        ("chosen", "codes"),
        [
            (settings(), []),
            (
                settings(enabled=()),
                ["no_provider_enabled", "default_provider_not_enabled"],
            ),
            (
                settings(enabled=("fal", "dalle"), models=MODELS | {"dalle": MODELS["fal"]}),
                ["provider_not_registered"],
            ),
            (settings(enabled=("openai",)), ["default_provider_not_enabled"]),
            (
                settings(enabled=("fal",), fallback=("mock", "fal", "mock")),
                ["fallback_provider_not_enabled"],
            ),
            (settings(models={}, enabled=("fal",)), ["provider_without_models"]),
            (weighing({"fal": 60, "local": 40}), []),
            (weighing({"fal": 60, "local": 30}), ["weights_not_100_percent"]),
            (
                settings(operations={Operation.RESTYLE: twice("fal")}),
                ["provider_weighted_twice"],
            ),
        ],
    )
    def test_names_each_problem_once(self, chosen: ProviderSettings, codes: list[str]) -> None:
        assert [problem.code for problem in validate(chosen, ALL)] == codes

    def test_says_it_in_a_sentence(self) -> None:
        (problem,) = validate(settings(enabled=("fal",), fallback=("mock",)), ALL)

        assert problem.message == "mock is in the fallback chain but not enabled"
