"""Who comes first by weight, by cost, by time."""

from collections import Counter
from datetime import date

import pytest

from medici.adapters.providers.request import Operation, Tier
from medici.domain.routing.outlook import Measured, Outlook, Work
from medici.domain.routing.settings import Models, Strategy
from tests.domain.routing.samples import ALL, chain, settings, to, weighing


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
