"""What pictures cost: exact figures, and a thousand calls recomputed from the bare price table."""

import random
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from subprocess import run

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.adapters.providers.pricing import PriceList, TokenUsage, Unit, UnitPrice
from medici.domain.prices.price_list import MediciPrices
from tests.kernel.net.recorder import connections

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PRICES: PriceList = MediciPrices()
MILLION = 1_000_000

# Dollars per million tokens: text and image in, the same cached, text and image out.
TOKENS = {
    "gpt-image-1-mini": ("2", "2.5", "0.2", "0.25", "8", "8"),
    "gpt-image-1.5": ("5", "8", "1.25", "2", "10", "32"),
    "chatgpt-image-latest": ("5", "8", "1.25", "2", "10", "32"),
    "gpt-image-2": ("5", "8", "1.25", "2", "30", "30"),
    "gpt-image-2-2026-04-21": ("5", "8", "1.25", "2", "30", "30"),
    "gpt-image-2.5-flare": ("5", "8", "1.25", "2", "30", "30"),
    "gpt-image-2.5-sunburst": ("5", "8", "1.25", "2", "30", "30"),
    "gpt-image-2.5-sunburst-2026-09-08": ("5", "8", "1.25", "2", "30", "30"),
    "gpt-image-2.6-flare": ("5", "8", "1.25", "2", "30", "30"),
    "gpt-image-2.6-sunburst": ("5", "8", "1.25", "2", "30", "30"),
}
UNITS = {
    ("fal", "fal-ai/flux/dev"): ("0.025", Unit.MEGAPIXEL),
    ("fal", "fal-ai/flux/dev/image-to-image"): ("0.025", Unit.MEGAPIXEL),
    ("fal", "fal-ai/flux-pro/kontext"): ("0.04", Unit.IMAGE),
    ("fal", "fal-ai/flux-pro/kontext/max"): ("0.08", Unit.IMAGE),
    ("fal", "fal-ai/nano-banana/edit"): ("0.039", Unit.IMAGE),
    ("replicate", "black-forest-labs/flux-kontext-pro"): ("0.04", Unit.IMAGE),
    ("replicate", "black-forest-labs/flux-kontext-max"): ("0.08", Unit.IMAGE),
}
SQUARES = {
    ("gpt-image-2.5-flare", "low"): "0.0059",
    ("gpt-image-2.5-flare", "medium"): "0.0132",
    ("gpt-image-2.5-sunburst", "high"): "0.0527",
    ("gpt-image-2.5-sunburst", "xhigh"): "0.0937",
    ("gpt-image-2.5-flare", "max"): "0.2107",
    ("gpt-image-2", "high"): "0.211",
    ("gpt-image-1-mini", "low"): "0.005",
    ("gpt-image-1.5", "medium"): "0.034",
}
SIZES = ((1024, 1024), (1536, 1024), (1024, 1536), (816, 1232), (3840, 2160))

token_models = st.sampled_from(sorted(TOKENS))
counts = st.integers(min_value=0, max_value=200_000)


@st.composite
def usages(draw: st.DrawFn) -> TokenUsage:
    text, image = draw(counts), draw(counts)
    return TokenUsage(
        text_in=text,
        image_in=image,
        cached_text_in=draw(st.integers(0, text)),
        cached_image_in=draw(st.integers(0, image)),
        text_out=draw(counts),
        image_out=draw(counts),
    )


def token_cost(model: str, usage: TokenUsage) -> int:
    cost = PRICES.token_cost_micros("openai", model, usage, at=NOW)
    assert cost is not None
    return cost


def recomputed(model: str, usage: TokenUsage) -> int:
    """Multiply out the table above in fractions, as on paper."""
    text, image, cached_text, cached_image, text_out, image_out = map(Fraction, TOKENS[model])
    dollars = (
        (usage.text_in - usage.cached_text_in) * text
        + (usage.image_in - usage.cached_image_in) * image
        + usage.cached_text_in * cached_text
        + usage.cached_image_in * cached_image
        + usage.text_out * text_out
        + usage.image_out * image_out
    ) / MILLION
    return round(dollars * MILLION)


class TestTokenCost:
    @pytest.mark.parametrize(
        ("model", "micros"),
        [
            ("gpt-image-1-mini", 9356),  # of 9355.5
            ("gpt-image-1.5", 1056 * 32 + 50 * 5 + 323 * 8),
            ("gpt-image-2", 1056 * 30 + 50 * 5 + 323 * 8),
            ("gpt-image-2.5-flare", 1056 * 30 + 50 * 5 + 323 * 8),
            ("gpt-image-2.6-sunburst", 1056 * 30 + 50 * 5 + 323 * 8),
        ],
    )
    def test_counts_each_kind_at_its_own_rate(self, model: str, micros: int) -> None:
        usage = TokenUsage(text_in=50, image_in=323, image_out=1056)

        assert token_cost(model, usage) == micros

    def test_rounds_half_to_even(self) -> None:
        assert token_cost("gpt-image-1-mini", TokenUsage(image_in=1)) == 2  # 2.5
        assert token_cost("gpt-image-1-mini", TokenUsage(image_in=3)) == 8  # 7.5

    @pytest.mark.parametrize("model", sorted(TOKENS))
    def test_never_bills_a_picture_as_text(self, model: str) -> None:
        expected = round(1000 * Fraction(TOKENS[model][5]))

        assert token_cost(model, TokenUsage(image_out=1000)) == expected

    @pytest.mark.parametrize("model", ["gpt-image-1.5", "gpt-image-2"])
    def test_believes_in_no_more_cached_tokens_than_went_in(self, model: str) -> None:
        impossible = TokenUsage(text_in=10, cached_text_in=99, image_in=10, cached_image_in=99)
        possible = TokenUsage(text_in=10, cached_text_in=10, image_in=10, cached_image_in=10)

        assert token_cost(model, impossible) == token_cost(model, possible)

    @pytest.mark.parametrize(
        ("provider", "model"),
        [
            ("openai", "gpt-image-9"),
            ("openai", "dall-e-3"),
            ("openai", "gpt-image-1"),  # the library has no image rate for it
            ("openai", "gpt-4o"),  # makes no pictures
            ("fal", "gpt-image-2"),
            ("openai", ""),
            ("", "gpt-image-2"),
            ("local", "local/restyle"),
        ],
    )
    def test_is_unknown_rather_than_guessed(self, provider: str, model: str) -> None:
        usage = TokenUsage(text_in=10, image_out=272)

        assert PRICES.token_cost_micros(provider, model, usage, at=NOW) is None

    def test_is_unknown_before_the_price_was(self) -> None:
        usage = TokenUsage(image_out=1)
        day_before = datetime(2026, 4, 20, 23, 59, 59, tzinfo=UTC)
        first_day = datetime(2026, 4, 21, tzinfo=UTC)

        costs = [
            PRICES.token_cost_micros("openai", "gpt-image-2", usage, at=at)
            for at in (day_before, first_day)
        ]

        assert costs == [None, 30]

    @given(token_models, usages(), usages())
    def test_grows_with_every_token(self, model: str, usage: TokenUsage, more: TokenUsage) -> None:
        assert token_cost(model, both(usage, more)) >= token_cost(model, usage)

    @given(token_models, usages(), usages())
    def test_adds_up_but_for_the_rounding(
        self, model: str, one: TokenUsage, other: TokenUsage
    ) -> None:
        apart = token_cost(model, one) + token_cost(model, other)

        assert abs(token_cost(model, both(one, other)) - apart) <= 1

    def test_asks_no_network(self) -> None:
        with connections() as peers:
            prices = MediciPrices()
            prices.token_cost_micros("openai", "gpt-image-1.5", TokenUsage(image_out=1), at=NOW)
            prices.token_cost_micros("openai", "gpt-image-9", TokenUsage(image_out=1), at=NOW)

        assert peers == []

    def test_costs_no_start_up_of_a_process_that_prices_nothing(self) -> None:
        told = "import sys, medici.providers; print('genai_prices' in sys.modules)"

        loaded = run([sys.executable, "-c", told], capture_output=True, text=True, check=True)

        assert loaded.stdout == "False\n"


def both(one: TokenUsage, other: TokenUsage) -> TokenUsage:
    return TokenUsage(
        text_in=one.text_in + other.text_in,
        image_in=one.image_in + other.image_in,
        cached_text_in=one.cached_text_in + other.cached_text_in,
        cached_image_in=one.cached_image_in + other.cached_image_in,
        text_out=one.text_out + other.text_out,
        image_out=one.image_out + other.image_out,
    )


class TestUnitPrice:
    @pytest.mark.parametrize(("provider", "model"), sorted(UNITS))
    def test_is_the_provider_s(self, provider: str, model: str) -> None:
        dollars, unit = UNITS[provider, model]

        price = PRICES.unit_price(provider, model, at=NOW)

        assert price == UnitPrice(dollars=Decimal(dollars), unit=unit)

    @pytest.mark.parametrize(
        ("provider", "model"),
        [
            ("fal", "fal-ai/flux-2/edit"),
            ("fal", "fal-ai/flux"),
            ("replicate", "fal-ai/flux/dev"),
            ("openai", "gpt-image-2"),
        ],
    )
    def test_is_unknown_rather_than_free(self, provider: str, model: str) -> None:
        assert PRICES.unit_price(provider, model, at=NOW) is None


class TestTypicalCost:
    @pytest.mark.parametrize(("model", "quality"), sorted(SQUARES))
    def test_of_a_square_picture_is_as_published(self, model: str, quality: str) -> None:
        cost = PRICES.typical_cost_micros(
            "openai", model, quality=quality, pixels=1024 * 1024, at=NOW
        )

        assert cost == int(Decimal(SQUARES[model, quality]) * MILLION)

    def test_of_an_undecided_quality_is_rather_too_high(self) -> None:
        auto, high = (
            PRICES.typical_cost_micros("openai", "gpt-image-2", quality=quality, pixels=1, at=NOW)
            for quality in ("auto", "high")
        )

        assert auto == high

    @pytest.mark.parametrize(
        ("model", "quality"), [("gpt-image-2", "hd"), ("gpt-image-2", ""), ("dall-e-3", "high")]
    )
    def test_is_unknown_rather_than_guessed(self, model: str, quality: str) -> None:
        cost = PRICES.typical_cost_micros("openai", model, quality=quality, pixels=1, at=NOW)

        assert cost is None


class TestVersion:
    def test_names_our_table_and_the_library_s(self) -> None:
        ours, library = PRICES.version.split("+")

        assert date.fromisoformat(ours) <= NOW.date()
        assert library.startswith("genai-")


class TestThousandCalls:
    def test_are_billed_without_a_single_error(self) -> None:
        dice = random.Random(20261124)

        wrong = [call for call in range(1000) if not self._agrees(dice)]

        assert wrong == []

    def _agrees(self, dice: random.Random) -> bool:
        kind = dice.choice(("tokens", "tokens", "units", "typical"))
        width, height = dice.choice(SIZES)
        if kind == "tokens":
            model, usage = dice.choice(sorted(TOKENS)), some_usage(dice)
            return token_cost(model, usage) == recomputed(model, usage)
        if kind == "units":
            provider, model = dice.choice(sorted(UNITS))
            return self._unit_agrees(provider, model, pictures=dice.randint(1, 4), pixels=width)
        model, quality = dice.choice(sorted(SQUARES))
        dollars = Fraction(SQUARES[model, quality]) * (width * height) / (1024 * 1024)
        return PRICES.typical_cost_micros(
            "openai", model, quality=quality, pixels=width * height, at=NOW
        ) == round(dollars * MILLION)

    def _unit_agrees(self, provider: str, model: str, *, pictures: int, pixels: int) -> bool:
        price = PRICES.unit_price(provider, model, at=NOW)
        dollars, unit = UNITS[provider, model]
        units = Decimal(pictures * pixels) / 1000 if unit is Unit.MEGAPIXEL else Decimal(pictures)
        expected = round(Fraction(dollars) * Fraction(units) * MILLION)
        return price is not None and price.cost_micros(units) == expected


def some_usage(dice: random.Random) -> TokenUsage:
    """Make the usage of one call; often a detail is missing, as in real answers."""
    text, image = dice.randint(1, 4000), dice.choice((0, 323, 1105, 6240))
    detailed = dice.random() < 0.5
    return TokenUsage(
        text_in=text,
        image_in=image,
        cached_text_in=dice.randint(0, text) if detailed else 0,
        cached_image_in=dice.randint(0, image) if detailed else 0,
        text_out=dice.choice((0, 0, 37)) if detailed else 0,
        image_out=dice.choice((0, 196, 272, 408, 1056, 1568, 4160, 6240, 7023)),
    )
