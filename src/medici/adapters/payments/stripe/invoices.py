"""What a paid invoice brings: a period, a trial, or the rest of a period after a change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from medici.adapters.payments.news import Paid, Payment, Refund
from medici.adapters.payments.stripe.buyers import buyer_of
from medici.adapters.payments.stripe.objects import MID_PERIOD, Invoice, Line
from medici.adapters.payments.stripe.price import PRODUCT, Price
from medici.adapters.payments.stripe.told import Told

NO_SHARE = "the share of a full period cannot be told without the price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A line of an invoice with the price in it, as far as that is told."""

    line: Line
    price: Price

    @property
    def is_period(self) -> bool:
        """Tell whether it pays for a whole period of the subscription."""
        return not (self.line.is_proration or self.line.is_extra)

    @property
    def is_trial(self) -> bool:
        return self.line.amount == 0 and self.price.unit_amount != 0

    @property
    def share(self) -> Fraction | None:
        """Return how much of a full period it is; None if the full price is unknown."""
        if self.is_period:
            return Fraction(1)
        seats = 1 if self.line.quantity is None else self.line.quantity
        full = (self.price.unit_amount or 0) * seats
        return min(Fraction(abs(self.line.amount), full), Fraction(1)) if full else None


def told_by(invoice: Invoice, *, at: datetime) -> Told:
    """Tell of a paid invoice; ``at`` counts where it does not say when it was paid."""
    buyer = buyer_of(invoice.subscription_metadata, invoice.customer)
    if invoice.subscription_id is None:
        return Told(buyer=buyer, remark="an invoice of no subscription")
    sale = _paid_for(invoice)
    if sale is None:
        return Told(buyer=buyer, remark="an invoice that brings no period")
    if sale.share is None:
        return Told(buyer=buyer, remark=NO_SHARE, complete=False)
    return Told(
        buyer=buyer,
        payments=(_payment(invoice, sale, sale.share, at),),
        refunds=tuple(_given_back(invoice, at)),
        complete=_is_complete(invoice, sale),
    )


def _sales(invoice: Invoice) -> list[Sale]:
    return [Sale(line=line, price=line.sold) for line in invoice.lines.data if line.sold]


def _paid_for(invoice: Invoice) -> Sale | None:
    """Return what was paid for: a whole period, else the charge of a change within one."""
    sales = [sale for sale in _sales(invoice) if sale.line.amount >= 0]
    periods = [sale for sale in sales if sale.is_period]
    changes = [sale for sale in sales if sale.line.is_proration]
    candidates = periods or (changes if invoice.billing_reason == MID_PERIOD else [])
    return max(candidates, key=lambda sale: (sale.line.amount, sale.line.period.end), default=None)


def _is_complete(invoice: Invoice, sale: Sale) -> bool:
    """Tell whether the product is named, and the full price of whatever is taken back known."""
    taken_back = [each for each in _sales(invoice) if each.line.credited_invoice]
    return bool(sale.price.our_product) and all(each.price.is_whole for each in taken_back)


def _payment(invoice: Invoice, sale: Sale, share: Fraction, at: datetime) -> Payment:
    paid_at = invoice.status_transitions.paid_at if invoice.status_transitions else None
    # A coupon or the customer's balance may have paid for a period, which is no trial.
    is_trial = invoice.amount_paid == 0 and sale.is_trial
    return Payment(
        transaction_id=invoice.id,
        product_id=_product(invoice, sale.price),
        paid=Paid.TRIAL if is_trial else Paid.PERIOD,
        paid_at=paid_at or at,
        lineage_id=invoice.subscription_id,
        amount_minor=invoice.amount_paid,
        currency=invoice.currency.upper(),
        share=share,
        period_start=sale.line.period.start,
        period_end=sale.line.period.end,
    )


def _product(invoice: Invoice, price: Price) -> str:
    """Return what a price counts as; a bare one is taken for what the checkout was about."""
    if price.is_whole or price.our_product:
        return price.product_id
    return invoice.subscription_metadata.get(PRODUCT) or price.id


def _given_back(invoice: Invoice, at: datetime) -> Iterator[Refund]:
    """Give what a change takes back of earlier periods. No money goes back: the charge is less."""
    for number, sale in enumerate(_sales(invoice)):
        credited, share = sale.line.credited_invoice, sale.share
        if sale.line.amount < 0 and credited and share:
            yield Refund(
                refund_id=f"{invoice.id}:{number}",
                transaction_id=credited,
                at=at,
                share=share,
                amount_minor=0,
                ends_access=False,
                reason="prorated",
            )
