"""Invoices, and what they are paid with."""

from dataclasses import dataclass

from medici.fakes.stripe.ask import Ask
from medici.fakes.stripe.books import Books, listing
from medici.fakes.stripe.log import Log
from medici.fakes.stripe.params import Record
from medici.fakes.stripe.payments import Payments


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """One line to be: a price for a time; what is ``credited`` is taken back from an invoice."""

    price: str
    amount: int
    start: int
    end: int
    quantity: int = 1
    proration: bool = False
    credited: str | None = None


class Billing:
    def __init__(self, books: Books, log: Log, payments: Payments) -> None:
        self._books = books
        self._log = log
        self._payments = payments

    def bill(self, subscription: Record, reason: str, lines: list[Sold], *, pays: bool) -> Record:
        """Write an invoice and have it paid, or have the payment fail."""
        invoice = self._invoice(subscription, reason, lines)
        subscription["latest_invoice"] = invoice["id"]
        if pays:
            self.pay(invoice)
        else:
            invoice["attempt_count"] = 1
            self._log.happened("invoice.payment_failed", invoice)
        return invoice

    def pay(self, invoice: Record) -> None:
        amount = invoice["amount_due"]
        if amount:
            intent = self._payments.pay(amount, invoice["currency"], invoice["customer"], {})
            self._books.new(
                "invoice_payment",
                "inpay",
                {
                    "amount_paid": amount,
                    "amount_requested": amount,
                    "currency": invoice["currency"],
                    "invoice": invoice["id"],
                    "is_default": True,
                    "payment": {"type": "payment_intent", "payment_intent": intent["id"]},
                    "status": "paid",
                },
            )
        invoice |= {"amount_paid": amount, "amount_remaining": 0, "status": "paid"}
        invoice["attempt_count"] += 1
        invoice["status_transitions"]["paid_at"] = self._books.now()
        self._log.happened("invoice.payment_succeeded", invoice)
        self._log.happened("invoice.paid", invoice)

    def get(self, ask: Ask) -> Record:
        return self._books.get("invoice", ask.id)

    def list_invoices(self, ask: Ask) -> list[Record]:
        wanted = ask.text("subscription")
        return [
            invoice
            for invoice in self._books.all("invoice", customer=ask.text("customer"))
            if wanted is None or invoice["_subscription"] == wanted
        ]

    def list_payments(self, ask: Ask) -> list[Record]:
        intent = ask.nested("payment").get("payment_intent")
        return [
            paid
            for paid in self._books.all(
                "invoice_payment", invoice=ask.text("invoice"), status=ask.text("status")
            )
            if intent is None or paid["payment"]["payment_intent"] == intent
        ]

    def _invoice(self, subscription: Record, reason: str, lines: list[Sold]) -> Record:
        total = sum(line.amount for line in lines)
        written = [self._line(subscription, line) for line in lines]
        return self._books.new(
            "invoice",
            "in",
            {
                "amount_due": max(total, 0),
                "amount_paid": 0,
                "amount_remaining": max(total, 0),
                "attempt_count": 0,
                "billing_reason": reason,
                "currency": subscription["currency"],
                "customer": subscription["customer"],
                "lines": listing(written, "/v1/invoices/lines"),
                "metadata": {},
                "parent": {
                    "type": "subscription_details",
                    "quote_details": None,
                    "subscription_details": {
                        "metadata": dict(subscription["metadata"]),
                        "subscription": subscription["id"],
                    },
                },
                "period_start": min(line.start for line in lines),
                "period_end": max(line.end for line in lines),
                "status": "open",
                "status_transitions": {"paid_at": None, "finalized_at": self._books.now()},
                "subtotal": total,
                "total": total,
                "_subscription": subscription["id"],
            },
        )

    def _line(self, subscription: Record, line: Sold) -> Record:
        credited = {"invoice": line.credited, "invoice_line_items": []} if line.credited else None
        price = self._books.get("price", line.price)
        return {
            "id": f"il_{self._books.plane.new_id().replace('-', '')[:24]}",
            "object": "line_item",
            "amount": line.amount,
            "currency": price["currency"],
            "discount_amounts": [],
            "metadata": {},
            "parent": {
                "type": "subscription_item_details",
                "invoice_item_details": None,
                "subscription_item_details": {
                    "proration": line.proration,
                    "proration_details": {"credited_items": credited},
                    "subscription": subscription["id"],
                    "subscription_item": subscription["items"]["data"][0]["id"],
                },
            },
            "period": {"start": line.start, "end": line.end},
            "pricing": {
                "type": "price_details",
                "price_details": {"price": price["id"], "product": price["product"]},
                "unit_amount_decimal": str(line.amount),
            },
            "quantity": line.quantity,
            "subtotal": line.amount,
        }
