"""What a request to fal costs, before and after it ran."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from medici.adapters.providers.fal.answers import Output, Picture
from medici.adapters.providers.pricing import PriceList, Unit, UnitPrice
from medici.adapters.providers.provider import Cost, CostSource

UNKNOWN_MODEL_MICROS = 100_000  # 0.10 USD: dearer than most picture models, so a budget errs early
TYPICAL_SECONDS = Decimal(30)
MEGAPIXEL = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A price list as it applies to one model at one moment."""

    prices: PriceList
    provider: str
    model: str
    at: datetime

    def estimate(self, max_pixels: int) -> Cost:
        """Return what one picture of up to so many pixels will cost."""
        price = self._price
        if price is None:
            return Cost(amount_micros=UNKNOWN_MODEL_MICROS)
        return self._cost(price.cost_micros(_units(price.unit, max_pixels)))

    def actual(self, output: Output, *, billable_units: str | None) -> Cost | None:
        """Return what a result costs: by the units that fal counted, else by its pictures.

        None where nobody can tell: the model has no price, or a picture no size.
        """
        price = self._price
        if price is None:
            return None
        if (units := _counted(billable_units)) is not None:
            return self._cost(price.cost_micros(units), CostSource.BILLABLE_UNITS)
        sizes = [_pixels(picture) for picture in output.pictures]
        if price.unit is Unit.SECOND or (price.unit is Unit.MEGAPIXEL and None in sizes):
            return None
        total = sum((_units(price.unit, size or 0) for size in sizes), Decimal(0))
        return self._cost(price.cost_micros(total))

    @property
    def _price(self) -> UnitPrice | None:
        return self.prices.unit_price(self.provider, self.model, at=self.at)

    def _cost(self, micros: int, source: CostSource = CostSource.PRICE_TABLE) -> Cost:
        return Cost(amount_micros=micros, source=source, price_version=self.prices.version)


def _units(unit: Unit, pixels: int) -> Decimal:
    match unit:
        case Unit.IMAGE:
            return Decimal(1)
        case Unit.MEGAPIXEL:
            return pixels / MEGAPIXEL
        case Unit.SECOND:
            return TYPICAL_SECONDS


def _pixels(picture: Picture) -> int | None:
    return picture.width * picture.height if picture.width and picture.height else None


def _counted(units: str | None) -> Decimal | None:
    try:
        counted = Decimal(units or "")
    except InvalidOperation:
        return None
    return counted if counted.is_finite() and counted >= 0 else None
