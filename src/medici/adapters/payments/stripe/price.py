"""What is sold: Stripe's prices, and which product of ours each one is."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from medici.adapters.payments.stripe.fields import Count, Currency, Id, Metadata, Minor, Part, whole

# By these names our ids stand in the metadata of Stripe's objects.
PRODUCT = "medici_product"
PLAN = "medici_plan"
UNITS = {"day": "D", "week": "W", "month": "M", "year": "Y"}


class Product(Part):
    id: Id
    name: str | None = None
    metadata: Metadata = Field(default_factory=dict)


class Recurring(Part):
    interval: str
    interval_count: Count = 1

    @property
    def period(self) -> str | None:
        """Return it as ISO 8601 writes it, such as P1M."""
        unit = UNITS.get(self.interval)
        return f"P{self.interval_count}{unit}" if unit else None


class Price(Part):
    """A price; of one that stood there as an id alone, nothing but the id is known."""

    id: Id
    active: bool = True
    lookup_key: str | None = None
    metadata: Metadata = Field(default_factory=dict)
    product: Annotated[Product | None, BeforeValidator(whole)] = None
    unit_amount: Minor | None = None
    currency: Currency | None = None
    recurring: Recurring | None = None

    @property
    def is_whole(self) -> bool:
        return self.currency is not None

    @property
    def our_product(self) -> str | None:
        """Return which product of ours it is, if it or Stripe's product says so."""
        return (
            self.lookup_key
            or self.metadata.get(PRODUCT)
            or self.metadata.get(PLAN)
            or (self.product and (self.product.metadata.get(PRODUCT)))
            or (self.product and (self.product.metadata.get(PLAN)))
            or None
        )

    @property
    def product_id(self) -> str:
        """Return what it counts as: our product, or else the price by its own id."""
        return self.our_product or self.id
