"""What one object of Stripe tells, before it is put into news."""

from dataclasses import dataclass

from medici.adapters.payments.news import NOBODY, Buyer, Payment, Refund, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """``complete`` is False where Stripe has to be asked for what the object leaves out."""

    buyer: Buyer = NOBODY
    standings: tuple[Standing, ...] = ()
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    remark: str | None = None
    complete: bool = True
