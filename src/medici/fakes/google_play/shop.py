"""What the fake Google Play knows: purchases by their tokens, and what was done about them."""

from dataclasses import dataclass, field
from typing import Any

from medici.fakes.google_play.identity import Google
from medici.fakes.plane import Plane

Scripted = dict[str, Any]
ACKNOWLEDGED = "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED"
CONSUMED = "CONSUMPTION_STATE_CONSUMED"


@dataclass(kw_only=True)
class Shop:
    """One app's purchases; an etag changes with every change of its purchase."""

    plane: Plane
    google: Google = field(default_factory=Google)
    package: str = "com.example.medici"
    subscriptions: dict[str, Scripted] = field(default_factory=dict)
    products: dict[str, Scripted] = field(default_factory=dict)
    voided: list[Scripted] = field(default_factory=list)
    fulfilled: list[str] = field(default_factory=list)  # such as acknowledge:pro:token
    access_tokens: set[str] = field(default_factory=set)
    changes: int = 0

    def set_subscription(self, token: str, scripted: Scripted) -> None:
        self.subscriptions[token] = scripted | {"etag": self._next_etag()}

    def set_product(self, token: str, scripted: Scripted) -> None:
        self.products[token] = scripted | {"etag": self._next_etag()}

    def acknowledge(self, product_id: str, token: str) -> bool:
        """Take note; tell whether there is such a purchase."""
        found = self.subscriptions.get(token) or self.products.get(token)
        if found is None:
            return False
        found["acknowledgementState"] = ACKNOWLEDGED
        self.fulfilled.append(f"acknowledge:{product_id}:{token}")
        return True

    def consume(self, product_id: str, token: str) -> int:
        """Take note; return the status: 404 for no such purchase, 400 for the second time."""
        found = self.products.get(token)
        items = [
            item["productOfferDetails"]
            for item in (found or {}).get("productLineItem", [])
            if item["productId"] == product_id
        ]
        if not items:
            return 404
        if items[0].get("consumptionState") == CONSUMED:
            return 400
        items[0]["consumptionState"] = CONSUMED
        self.fulfilled.append(f"consume:{product_id}:{token}")
        return 204

    def new_access_token(self) -> str:
        token = f"ya29.{self.plane.new_id()}"
        self.access_tokens.add(token)
        return token

    def _next_etag(self) -> str:
        self.changes += 1
        return f"etag-{self.changes}"
