"""A new deployment's provider settings, and what settings may say at all."""

import pytest
from pydantic import ValidationError

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.routing.rules import Candidate, candidate_chain, validate
from medici.domain.routing.settings import (
    CostControls,
    OnModeration,
    OnUncertain,
    ProviderSettings,
    Route,
    initial_settings,
)

REGISTERED = frozenset({"fal", "openai", "local", "mock"})


class TestInitialSettings:
    def test_without_a_key_all_is_local(self) -> None:
        settings = initial_settings(fal=False, openai=False)

        assert settings.default_provider == "local"
        assert settings.enabled_providers == settings.fallback_chain == ("local",)
        for tier in Tier:
            assert candidate_chain(
                settings, Operation.RESTYLE, tier, [Part.FULL_ROOM], REGISTERED
            ) == (Candidate(provider="local", model="local/restyle"),)

    @pytest.mark.parametrize(("fal", "openai"), [(True, False), (False, True), (True, True)])
    def test_with_any_key_fal_leads_and_openai_follows(self, fal: bool, openai: bool) -> None:
        settings = initial_settings(fal=fal, openai=openai)

        chains = [
            candidate_chain(settings, Operation.REPAINT, tier, [Part.WALLS], REGISTERED)
            for tier in (Tier.PREVIEW, Tier.FINAL)
        ]
        assert chains == [
            (
                Candidate(provider="fal", model="fal-ai/flux/dev/image-to-image"),
                Candidate(provider="openai", model="gpt-image-1-mini"),
            ),
            (
                Candidate(provider="fal", model="fal-ai/flux-pro/kontext"),
                Candidate(provider="openai", model="gpt-image-2"),
            ),
        ]

    @pytest.mark.parametrize("keys", [False, True])
    def test_is_fit_to_be_published(self, keys: bool) -> None:
        assert validate(initial_settings(fal=keys, openai=keys), REGISTERED) == ()

    def test_names_a_route_for_everything(self) -> None:
        settings = initial_settings(fal=True, openai=True)

        assert set(settings.operation_routes) == set(Operation)
        assert set(settings.part_routes) == set(Part)


class TestProviderSettings:
    def test_survives_json(self) -> None:
        settings = initial_settings(fal=True, openai=True)

        assert ProviderSettings.model_validate_json(settings.model_dump_json()) == settings

    def test_is_sent_under_the_known_names(self) -> None:
        sent = initial_settings(fal=False, openai=False).model_dump(mode="json")

        assert list(sent) == [
            "default_provider",
            "enabled_providers",
            "fallback_chain",
            "operation_routes",
            "part_routes",
            "provider_models",
            "cost_controls",
            "in_flight_caps",
        ]
        assert sent["operation_routes"]["restyle"] == {
            "preview_provider": "local",
            "final_provider": "local",
            "preview_providers": [],
            "final_providers": [],
            "strategy": "ordered",
            "on_moderation": "stop",
            "on_uncertain": "reconcile_then_fail",
        }
        assert sent["cost_controls"] == {
            "max_retries": 1,
            "max_output_megapixels": 1.2,
            "preview_required_before_final": True,
        }

    def test_routes_may_leave_the_odd_outcomes_out(self) -> None:
        route = Route.model_validate({"preview_provider": "fal", "final_provider": "fal"})

        assert route.on_moderation is OnModeration.STOP
        assert route.on_uncertain is OnUncertain.RECONCILE_THEN_FAIL

    @pytest.mark.parametrize(
        "change",
        [
            {"colour": "red"},
            {"default_provider": ""},
            {"operation_routes": {"explode": {"preview_provider": "a", "final_provider": "a"}}},
            {"part_routes": {"walls": {"preview_provider": "a", "final_provider": "a", "x": 1}}},
            {"default_provider": "nul\0"},
            {"part_routes": {"walls": {"preview_provider": "a", "strategy": "cheapest"}}},
            {"cost_controls": {"max_retries": -1}},
            {"cost_controls": {"max_output_megapixels": 0}},
        ],
    )
    def test_refuses_what_it_does_not_know(self, change: dict[str, object]) -> None:
        sent = initial_settings(fal=True, openai=True).model_dump(mode="json")

        with pytest.raises(ValidationError):
            ProviderSettings.model_validate({**sent, **change})

    def test_counts_pixels(self) -> None:
        assert CostControls().max_output_pixels == 1_200_000
        assert CostControls(max_output_megapixels=0.7).max_output_pixels == 700_000
