"""What a picture costs: by its tokens where they are told, else what one usually costs."""

from dataclasses import dataclass
from datetime import datetime

from medici.adapters.providers.openai.answers import Usage
from medici.adapters.providers.pricing import PriceList
from medici.adapters.providers.provider import Cost, CostSource

UNKNOWN_COST_MICROS = 250_000
"""For a model without a price: the dearest quality at 1024x1024 costs 0.21 dollars today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The price list, opened at one vendor, one model and one moment."""

    prices: PriceList
    provider: str
    model: str
    at: datetime

    def typical(self, *, quality: str, pixels: int) -> Cost:
        micros = self.prices.typical_cost_micros(
            self.provider, self.model, quality=quality, pixels=pixels, at=self.at
        )
        amount = UNKNOWN_COST_MICROS if micros is None else micros
        return self._cost(amount, CostSource.PRICE_TABLE)

    def actual(self, usage: Usage | None, *, quality: str, pixels: int) -> Cost:
        """Return what a call cost; without its tokens, or their price, the typical cost."""
        micros = None if usage is None else self._of_tokens(usage)
        if micros is None:
            return self.typical(quality=quality, pixels=pixels)
        return self._cost(micros, CostSource.USAGE_TOKENS)

    def _of_tokens(self, usage: Usage) -> int | None:
        return self.prices.token_cost_micros(self.provider, self.model, usage.tokens(), at=self.at)

    def _cost(self, micros: int, source: CostSource) -> Cost:
        return Cost(amount_micros=micros, source=source, price_version=self.prices.version)
