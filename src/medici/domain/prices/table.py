"""The prices that we know ourselves, in US dollars.

A new price is a new row with a later ``valid_from``, beside the old one, and a new ``VERSION``.
"""

from datetime import date
from decimal import Decimal

from medici.adapters.providers.pricing import Unit, UnitPrice
from medici.domain.prices.rows import TokenRates, TokenRow, TypicalRow, UnitRow

VERSION = "2026-11-01"

FLARE = "gpt-image-2.5-flare"
SUNBURST = "gpt-image-2.5-sunburst"
GPT_IMAGE_2 = ("gpt-image-2", "gpt-image-2-2026-04-21")
GPT_IMAGE_2_5 = (FLARE, f"{FLARE}-2026-09-08", SUNBURST, f"{SUNBURST}-2026-09-08")
GPT_IMAGE_2_6 = ("gpt-image-2.6-flare", "gpt-image-2.6-sunburst")

# All output of these models costs the same, so a detail left out cannot change the bill.
SECOND_GENERATION = TokenRates(
    text_in=Decimal(5),
    image_in=Decimal(8),
    cached_text_in=Decimal("1.25"),
    cached_image_in=Decimal(2),
    text_out=Decimal(30),
    image_out=Decimal(30),
)
MINI = TokenRates(
    text_in=Decimal(2),
    image_in=Decimal("2.5"),
    cached_text_in=Decimal("0.2"),
    cached_image_in=Decimal("0.25"),
    text_out=Decimal(8),
    image_out=Decimal(8),
)

SQUARE_2_5 = {
    "low": Decimal("0.0059"),
    "medium": Decimal("0.0132"),
    "high": Decimal("0.0527"),
    "xhigh": Decimal("0.0937"),
    "max": Decimal("0.2107"),
}

UNIT_ROWS = (
    UnitRow(
        provider="fal",
        models=("fal-ai/flux/dev", "fal-ai/flux/dev/image-to-image"),
        valid_from=date(2025, 1, 1),
        source="LiteLLM's price table",
        price=UnitPrice(dollars=Decimal("0.025"), unit=Unit.MEGAPIXEL),
    ),
    UnitRow(
        provider="fal",
        models=("fal-ai/flux-pro/kontext",),
        valid_from=date(2025, 6, 1),
        source="LiteLLM's price table",
        price=UnitPrice(dollars=Decimal("0.04"), unit=Unit.IMAGE),
    ),
    UnitRow(
        provider="fal",
        models=("fal-ai/flux-pro/kontext/max",),
        valid_from=date(2025, 6, 1),
        source="LiteLLM's price table",
        price=UnitPrice(dollars=Decimal("0.08"), unit=Unit.IMAGE),
    ),
    UnitRow(
        provider="fal",
        models=("fal-ai/nano-banana", "fal-ai/nano-banana/edit"),
        valid_from=date(2025, 9, 1),
        source="LiteLLM's price table",
        price=UnitPrice(dollars=Decimal("0.039"), unit=Unit.IMAGE),
    ),
    UnitRow(
        provider="replicate",
        models=("black-forest-labs/flux-kontext-pro",),
        valid_from=date(2025, 6, 1),
        source="as fal's, the model's maker asking the same of both",
        price=UnitPrice(dollars=Decimal("0.04"), unit=Unit.IMAGE),
    ),
    UnitRow(
        provider="replicate",
        models=("black-forest-labs/flux-kontext-max",),
        valid_from=date(2025, 6, 1),
        source="as fal's, the model's maker asking the same of both",
        price=UnitPrice(dollars=Decimal("0.08"), unit=Unit.IMAGE),
    ),
)

TOKEN_ROWS = (
    TokenRow(
        provider="openai",
        models=("gpt-image-1-mini",),
        valid_from=date(2025, 10, 6),
        source="OpenAI's model page",
        rates=MINI,
    ),
    TokenRow(
        provider="openai",
        models=GPT_IMAGE_2,
        valid_from=date(2026, 4, 21),
        source="LiteLLM's price table",
        rates=SECOND_GENERATION,
    ),
    TokenRow(
        provider="openai",
        models=GPT_IMAGE_2_5,
        valid_from=date(2026, 9, 8),
        source="LiteLLM's price table",
        rates=SECOND_GENERATION,
    ),
    TokenRow(
        provider="openai",
        models=GPT_IMAGE_2_6,
        valid_from=date(2026, 11, 1),
        source="OpenAI's model page",
        rates=SECOND_GENERATION,
    ),
)

TYPICAL_ROWS = (
    TypicalRow(
        provider="openai",
        models=("gpt-image-1-mini",),
        valid_from=date(2025, 10, 6),
        source="OpenAI's model page, one square picture",
        dollars={"low": Decimal("0.005"), "medium": Decimal("0.011"), "high": Decimal("0.036")},
    ),
    TypicalRow(
        provider="openai",
        models=("gpt-image-1.5", "gpt-image-1.5-2025-12-16", "chatgpt-image-latest"),
        valid_from=date(2025, 12, 16),
        source="LiteLLM's price table, one square picture",
        dollars={"low": Decimal("0.009"), "medium": Decimal("0.034"), "high": Decimal("0.133")},
    ),
    TypicalRow(
        provider="openai",
        models=GPT_IMAGE_2,
        valid_from=date(2026, 4, 21),
        source="OpenAI's figures for one square picture, as others quote them",
        dollars={"low": Decimal("0.006"), "medium": Decimal("0.053"), "high": Decimal("0.211")},
    ),
    TypicalRow(
        provider="openai",
        models=GPT_IMAGE_2_5,
        valid_from=date(2026, 9, 8),
        source="LiteLLM's price table, one square picture resold by fal",
        dollars=SQUARE_2_5,
    ),
    TypicalRow(
        provider="openai",
        models=GPT_IMAGE_2_6,
        valid_from=date(2026, 11, 1),
        source="taken to be as gpt-image-2.5, whose rates it shares",
        dollars=SQUARE_2_5,
    ),
)
