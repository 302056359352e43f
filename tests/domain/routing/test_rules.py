"""Who is asked first, who next, and who never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.routing.errors import NoCandidate
from medici.domain.routing.rules import (
    Candidate,
    candidate_chain,
    governing_route,
    validate,
)
from medici.domain.routing.settings import OnModeration, OnUncertain, ProviderSettings, Route
from tests.domain.routing.samples import ALL, MODELS, NAMES, chain, settings, to, twice, weighing

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
