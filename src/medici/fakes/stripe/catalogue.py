"""Products and prices. A price never changes its amount; lookup keys move on request."""

from dataclasses import dataclass

from medici.fakes.stripe.ask import Ask, whole_number
from medici.fakes.stripe.books import Books
from medici.fakes.stripe.params import Record
from medici.fakes.stripe.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """A monthly plan that is on sale from the start; ``amount`` is in cents of a US dollar."""

    lookup_key: str
    name: str
    plan_id: str
    amount: int


class Catalogue:
    def __init__(self, books: Books) -> None:
        self._books = books

    def put(self, stock: Stock) -> None:
        """Put a plan on sale as our own set-up would."""
        product: Record = {
            "id": f"medici_{stock.lookup_key}",
            "name": stock.name,
            "metadata": {"medici_plan": stock.plan_id},
        }
        price: Record = {
            "product": product["id"],
            "currency": "usd",
            "unit_amount": str(stock.amount),
            "recurring": {"interval": "month"},
            "lookup_key": stock.lookup_key,
            "metadata": {"medici_product": stock.lookup_key, "medici_plan": stock.plan_id},
        }
        self.create_product(Ask(ids={}, params=product, base=""))
        self.create_price(Ask(ids={}, params=price, base=""))

    def create_product(self, ask: Ask) -> Record:
        named = ask.text("id")
        if named and self._books.find(named):
            raise Problem(f"Product already exists: {named}", code="resource_already_exists")
        fields: Record = {
            "name": ask.needed("name"),
            "active": True,
            "description": ask.text("description"),
            "metadata": ask.nested("metadata"),
        }
        return self._books.new("product", "prod", fields | ({"id": named} if named else {}))

    def get_product(self, ask: Ask) -> Record:
        return self._books.get("product", ask.id)

    def update_product(self, ask: Ask) -> Record:
        product = self._books.get("product", ask.id)
        product["name"] = ask.text("name") or product["name"]
        product["metadata"] |= ask.nested("metadata")
        if (active := ask.flag("active")) is not None:
            product["active"] = active
        return product

    def list_products(self, ask: Ask) -> list[Record]:
        return self._books.all("product", active=ask.flag("active"))

    def create_price(self, ask: Ask) -> Record:
        self._books.get("product", ask.needed("product"))
        amount = ask.number("unit_amount")
        if amount is None or amount < 0:
            raise Problem("Invalid non-negative integer", param="unit_amount")
        self._give_key_up(ask)
        recurring = ask.nested("recurring")
        return self._books.new(
            "price",
            "price",
            {
                "product": ask.needed("product"),
                "active": True,
                "billing_scheme": "per_unit",
                "currency": ask.needed("currency"),
                "unit_amount": amount,
                "unit_amount_decimal": str(amount),
                "lookup_key": ask.text("lookup_key"),
                "metadata": ask.nested("metadata"),
                "recurring": _recurring(recurring) if recurring else None,
                "type": "recurring" if recurring else "one_time",
            },
        )

    def get_price(self, ask: Ask) -> Record:
        return self._books.get("price", ask.id)

    def update_price(self, ask: Ask) -> Record:
        if "unit_amount" in ask.params:
            raise Problem("Received unknown parameter: unit_amount", code="parameter_unknown")
        price = self._books.get("price", ask.id)
        price["metadata"] |= ask.nested("metadata")
        if (active := ask.flag("active")) is not None:
            price["active"] = active
        if ask.text("lookup_key"):
            self._give_key_up(ask)
            price["lookup_key"] = ask.text("lookup_key")
        return price

    def list_prices(self, ask: Ask) -> list[Record]:
        keys = ask.texts("lookup_keys")
        if len(keys) > 10:
            raise Problem("You may only pass 10 lookup keys.", param="lookup_keys")
        found = self._books.all("price", active=ask.flag("active"), product=ask.text("product"))
        return [price for price in found if not keys or price["lookup_key"] in keys]

    def _give_key_up(self, ask: Ask) -> None:
        """Have the price that holds a wanted key lose it, if that was asked for."""
        key = ask.text("lookup_key")
        for holder in self._books.all("price", lookup_key=key) if key else []:
            if not ask.flag("transfer_lookup_key"):
                message = f"A price (`{holder['id']}`) already uses that lookup key."
                raise Problem(message, param="lookup_key")
            holder["lookup_key"] = None


def _recurring(asked: Record) -> Record:
    return {
        "interval": asked.get("interval", "month"),
        "interval_count": whole_number("interval_count", asked.get("interval_count")) or 1,
        "usage_type": "licensed",
    }
