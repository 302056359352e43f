"""OpenAI's prices, as plain numbers that a test can multiply by itself."""

from dataclasses import dataclass
from datetime import datetime

from medici.adapters.providers.pricing import TokenUsage, UnitPrice

# Micros of a dollar for one token, which is dollars for a million: text in, image in, image out.
RATES = {
    "gpt-image-1.5": (5, 8, 32),
    "gpt-image-2": (5, 8, 30),
    "gpt-image-2.5-flare": (5, 8, 30),
    "gpt-image-2.5-sunburst": (5, 8, 30),
    "gpt-image-2.6-flare": (5, 8, 30),
}
TEXT_OUT = 10
TYPICAL = {"low": 5_900, "medium": 13_200, "high": 52_700}  # at 1024x1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    version: str = "prices-of-the-test"

    def unit_price(self, provider: str, model: str, *, at: datetime) -> UnitPrice | None:
        return None

    def token_cost_micros(
        self, provider: str, model: str, usage: TokenUsage, *, at: datetime
    ) -> int | None:
        if model not in RATES:
            return None
        text, image, out = RATES[model]
        going_in = usage.text_in * text + usage.image_in * image
        return going_in + usage.image_out * out + usage.text_out * TEXT_OUT

    def typical_cost_micros(
        self, provider: str, model: str, *, quality: str, pixels: int, at: datetime
    ) -> int | None:
        if model not in RATES:
            return None
        return TYPICAL[quality] * pixels // (1024 * 1024)
