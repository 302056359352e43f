"""A price list for tests: the prices that a test names, and no others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from medici.adapters.providers.pricing import TokenUsage, Unit, UnitPrice


def per(unit: Unit, dollars: str) -> UnitPrice:
    return UnitPrice(dollars=Decimal(dollars), unit=unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPrices:
    """Prices by model, whoever the provider is; ``micros_per_token`` counts every token alike."""

    units: Mapping[str, UnitPrice] = field(default_factory=dict)
    micros_per_token: Mapping[str, int] = field(default_factory=dict)
    typical: Mapping[str, int] = field(default_factory=dict)
    version: str = "prices-of-the-test"

    def unit_price(self, provider: str, model: str, *, at: datetime) -> UnitPrice | None:
        return self.units.get(model)

    def token_cost_micros(
        self, provider: str, model: str, usage: TokenUsage, *, at: datetime
    ) -> int | None:
        price = self.micros_per_token.get(model)
        if price is None:
            return None
        return price * (usage.text_in + usage.image_in + usage.text_out + usage.image_out)

    def typical_cost_micros(
        self, provider: str, model: str, *, quality: str, pixels: int, at: datetime
    ) -> int | None:
        return self.typical.get(model)
