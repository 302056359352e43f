"""Bills over the wire, recomputed from what the fake was asked for."""

from dataclasses import replace
from itertools import product
from math import ceil

import aiohttp
import pytest

from medici.adapters.providers.openai.answers import painted
from medici.adapters.providers.openai.costs import Tariff
from medici.adapters.providers.provider import CostSource
from medici.adapters.providers.request import Tier
from medici.fakes.openai.app import Telling
from tests.adapters.openai.conftest import REQUEST, Bench
from tests.adapters.openai.prices import RATES, TokenPrices

PAINTED = {"low": 272, "medium": 1056}  # tokens of 1024x1024
PHOTO_TOKENS = 3
TEXT_TOKENS = 4


def bill(model: str, *, size: str, quality: str, text: int, image: int) -> int:
    """Recompute a bill in micros: by the price sheet, and from size and quality alone."""
    width, height = (int(side) for side in size.split("x"))
    text_rate, image_rate, out_rate = RATES[model]
    out = ceil(PAINTED[quality] * width * height / 1024**2)
    return text * text_rate + image * image_rate + out * out_rate


class TestEdits:
    @pytest.mark.parametrize("details", [True, False])
    async def test_are_charged_exactly(self, bench: Bench, details: bool) -> None:
        bench.fake.telling = Telling(details=details)
        wrong = 0
        for model, tier, most in product(RATES, Tier, (700_000, 1_200_000, 3_000_000)):
            wanted = replace(REQUEST, model=model, tier=tier, max_pixels=most)

            done = await bench.provider.submit(wanted)

            asked = list(bench.plane.work.values())[-1].input
            expected = bill(
                model,
                size=asked["size"],
                quality=asked["quality"],
                text=TEXT_TOKENS,
                image=PHOTO_TOKENS,
            )
            assert done.observation.cost is not None
            assert done.observation.cost.source is CostSource.USAGE_TOKENS
            wrong += abs(done.observation.cost.amount_micros - expected)
        assert wrong == 0
        assert bench.plane.billed == len(bench.plane.asked) == len(RATES) * 6


class TestAuto:
    @pytest.mark.parametrize("model", sorted(RATES))
    async def test_is_charged_as_what_it_became(self, bench: Bench, model: str) -> None:
        wanted = {"model": model, "prompt": "a room", "size": "auto", "quality": "auto"}
        async with (
            aiohttp.ClientSession(headers={"Authorization": "Bearer sk"}) as session,
            session.post(f"{bench.provider.base}/images/generations", json=wanted) as answer,
        ):
            read = painted(await answer.read())

        assert read is not None
        assert (read.size, read.quality) == ((1024, 1024), "medium")
        tariff = Tariff(prices=TokenPrices(), provider="openai", model=model, at=bench.clock())
        cost = tariff.actual(read.usage, quality="auto", pixels=0)
        assert cost.amount_micros == bill(
            model, size="1024x1024", quality="medium", text=2, image=0
        )
