"""What a prediction costs, before and after it ran."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from medici.adapters.providers.pricing import PriceList, Unit, UnitPrice
from medici.adapters.providers.provider import Cost, CostSource, Phase
from medici.adapters.providers.replicate.answers import Prediction

UNKNOWN_MODEL_MICROS = 100_000  # 0.10 USD: dearer than most picture models, so a budget errs early
TYPICAL_SECONDS = Decimal(30)  # on the dear side for a picture model that is billed by time
USUAL_PIXELS = 1_200_000  # of work that was found again by its webhook, which tells no size
MEGAPIXEL = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A price list as it applies to one model at one moment; ``model`` may carry a version."""

    prices: PriceList
    provider: str
    model: str
    at: datetime

    @property
    def price(self) -> UnitPrice | None:
        name, _, _version = self.model.partition(":")
        return self.prices.unit_price(self.provider, name, at=self.at)

    def estimate(self, max_pixels: int) -> Cost:
        """Return what one picture of up to so many pixels will cost."""
        price = self.price
        if price is None:
            return Cost(amount_micros=UNKNOWN_MODEL_MICROS)
        return self._cost(price, _expected_units(price.unit, max_pixels))

    def actual(self, prediction: Prediction, max_pixels: int) -> Cost:
        """Return what an ended prediction costs.

        Billed by time, one that failed costs what it ran; billed by picture, only pictures cost.
        """
        price = self.price
        metrics = prediction.metrics
        if price is not None and price.unit is Unit.SECOND and metrics and metrics.predict_time:
            seconds = Decimal(str(metrics.predict_time))
            return self._cost(price, seconds, source=CostSource.PREDICT_TIME)
        pictures = _pictures(prediction)
        if not pictures:
            return Cost(amount_micros=0, price_version=self.prices.version)
        if price is None:
            return Cost(amount_micros=UNKNOWN_MODEL_MICROS * pictures)
        return self._cost(price, _expected_units(price.unit, max_pixels) * pictures)

    def _cost(
        self, price: UnitPrice, units: Decimal, *, source: CostSource = CostSource.PRICE_TABLE
    ) -> Cost:
        return Cost(
            amount_micros=price.cost_micros(units),
            source=source,
            price_version=self.prices.version,
        )


def _expected_units(unit: Unit, max_pixels: int) -> Decimal:
    match unit:
        case Unit.IMAGE:
            return Decimal(1)
        case Unit.MEGAPIXEL:
            return max_pixels / MEGAPIXEL
        case Unit.SECOND:
            return TYPICAL_SECONDS
    assert_never(unit)


def _pictures(prediction: Prediction) -> int:
    """Return how many pictures are charged."""
    counted = prediction.metrics.image_count if prediction.metrics else None
    if counted is not None:
        return counted
    return max(1, len(prediction.files)) if prediction.phase is Phase.SUCCEEDED else 0
