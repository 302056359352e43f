"""A variant's routes over those in force."""

import pytest

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.routing.settings import InFlightCap
from medici.domain.routing.treatment import Treatment, check, routing_of, treated
from tests.domain.routing.samples import ALL, chain, settings, to

PUBLISHED = settings(
    default="fal",
    enabled=("fal", "openai", "local"),
    fallback=("fal", "openai"),
    operations={Operation.RESTYLE: to("fal")},
    parts={Part.FULL_ROOM: to("fal")},
)
TO_OPENAI = {"part_routes": {"full_room": to("openai").model_dump(mode="json")}}
TOO_LITTLE = {"provider": "openai", "weight": 40}


def codes(routing: object) -> list[str]:
    return [problem.code for problem in check(PUBLISHED, routing, ALL)]


class TestTreated:
    def test_goes_by_the_variant_where_it_says_something(self) -> None:
        assert chain(treated(PUBLISHED, TO_OPENAI) or PUBLISHED) == ["openai", "fal"]

    def test_goes_by_what_is_published_elsewhere(self) -> None:
        changed = treated(PUBLISHED, TO_OPENAI) or PUBLISHED

        assert chain(changed, parts=(Part.WALLS,)) == ["fal", "openai"]

    def test_merges_as_a_draft_does(self) -> None:
        routing = {"default_provider": "local", "operation_routes": {"restyle": None}}

        assert chain(treated(PUBLISHED, routing) or PUBLISHED, parts=(Part.WALLS,)) == [
            "local",
            "fal",
            "openai",
        ]

    def test_can_choose_another_model_of_the_same_provider(self) -> None:
        routing = {"provider_models": {"fal": {"final_model": "better"}}}
        changed = treated(PUBLISHED, routing)

        assert changed is not None
        assert changed.provider_models["fal"].model(Tier.FINAL) == "better"
        assert changed.provider_models["fal"].model(Tier.PREVIEW) == "fal-p"

    def test_is_reckoned_once(self) -> None:
        assert treated(PUBLISHED, TO_OPENAI) is treated(PUBLISHED, dict(TO_OPENAI))

    def test_is_reckoned_anew_for_other_published_settings(self) -> None:
        other = PUBLISHED.model_copy(update={"default_provider": "openai"})

        changed = treated(other, TO_OPENAI)

        assert changed is not None
        assert changed.default_provider == "openai"

    def test_that_gives_no_settings_is_none(self) -> None:
        assert treated(PUBLISHED, {"default_provider": None}) is None

    def test_never_enables_what_is_switched_off_nor_takes_more_at_once(self) -> None:
        capped = PUBLISHED.model_copy(update={"in_flight_caps": {"fal": InFlightCap(total=1)}})
        routing = {"enabled_providers": ["mock"], "in_flight_caps": {"fal": None}}

        assert treated(capped, routing) == capped


class TestTreatment:
    def test_without_routing_changes_nothing(self) -> None:
        control = Treatment(experiment_id="e", variant_id="control", routing=None)

        assert control.over(PUBLISHED) is PUBLISHED

    @pytest.mark.parametrize("config", [{}, {"routing": {}}, {"routing": "fal"}, {"color": "red"}])
    def test_finds_no_routing_where_a_config_has_none(self, config: dict[str, object]) -> None:
        assert routing_of(config) is None


class TestCheck:
    def test_finds_nothing_wrong_with_a_good_one(self) -> None:
        assert codes(TO_OPENAI) == []

    @pytest.mark.parametrize(
        ("routing", "expected"),
        [
            ("fal", ["routing_not_an_object"]),
            (None, ["routing_not_an_object"]),
            ({"enabled_providers": ["fal"]}, ["routing_not_for_a_variant"]),
            ({"in_flight_caps": {}}, ["routing_not_for_a_variant"]),
            ({"default_provider": 7}, ["invalid_provider_settings"]),
            ({"colour": "red"}, ["invalid_provider_settings"]),
            ({"default_provider": "mock"}, ["default_provider_not_enabled"]),
            ({"fallback_chain": ["mock"]}, ["fallback_provider_not_enabled"]),
            (
                {"part_routes": {"walls": to("mock").model_dump(mode="json")}},
                ["route_provider_not_enabled"],
            ),
            (
                {"operation_routes": {"restyle": {"preview_providers": [TOO_LITTLE]}}},
                ["weights_not_100_percent"],
            ),
        ],
    )
    def test_says_what_is_wrong(self, routing: object, expected: list[str]) -> None:
        assert codes(routing) == expected

    def test_does_not_blame_a_variant_for_what_is_published(self) -> None:
        unreachable = frozenset({"fal", "openai"})  # local is enabled, and gone

        assert check(PUBLISHED, TO_OPENAI, unreachable) == ()
