"""What Stripe answers beside what was asked for."""

from medici.kernel.errors import Kind, MediciError


class StripeRefused(MediciError):
    """Stripe takes the request for wrong, or our key for wrong; trying again changes nothing.

    ``reason`` is Stripe's own code, such as ``resource_missing``.
    """

    kind = Kind.BAD_GATEWAY
    code = "store_refused"

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"Stripe refuses with {status}: {reason}")
        self.status = status
        self.reason = reason

    @property
    def is_missing(self) -> bool:
        return self.status == 404


class NotForSale(MediciError):
    """Stripe has no active price for the product; ``catalogue`` sets prices up."""

    kind = Kind.NOT_FOUND
    code = "product_not_for_sale"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"Stripe has no active price for {product_id}")
        self.product_id = product_id
