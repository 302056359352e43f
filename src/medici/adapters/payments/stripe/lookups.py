"""Asking Stripe for what an event leaves out."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from medici.adapters.payments.stripe import checkouts, invoices, subscriptions
from medici.adapters.payments.stripe.answers import (
    InvoicePayments,
    MoneyMoved,
    Named,
    PaymentIntent,
    WholeSubscription,
)
from medici.adapters.payments.stripe.event import StripeEvent
from medici.adapters.payments.stripe.objects import (
    Charge,
    CheckoutSession,
    Dispute,
    Invoice,
    Line,
    Refunds,
)
from medici.adapters.payments.stripe.price import Price
from medici.adapters.payments.stripe.refunds import (
    INQUIRY,
    UNRESOLVED,
    PaidFor,
    dispute_of,
    is_inquiry,
    refunds_of,
)
from medici.adapters.payments.stripe.told import Told
from medici.adapters.payments.stripe.wire import StripeWire

WHOLE_SUBSCRIPTION = (
    "items.data.price.product",
    "latest_invoice",
    "schedule.phases.items.price",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """Each answers as of ``now``. All of them raise what the wire raises."""

    wire: StripeWire
    grace: timedelta
    now: datetime

    async def about(self, event: StripeEvent) -> Told:
        """Tell by Stripe's present word what an event is about.

        Raises:
            ValidationError: the event's object has no readable id.
        """
        named = Named.model_validate(event.body)
        match event.type.split("."):
            case ["customer", "subscription", _]:
                return await self.subscription(named.id)
            case ["invoice", _]:
                return await self._invoice(named.id)
            case ["checkout", "session", _]:
                return await self._checkout(named.id)
            case ["charge", "dispute", _]:
                return await self._dispute(named.id)
            case ["charge", _]:
                charge = await self.wire.get(Charge, f"/charges/{named.id}")
                return await self._refunds(charge.payment_intent, charge.id)
            case _:
                moved = MoneyMoved.model_validate(event.body)
                return await self._refunds(moved.payment_intent, moved.charge)

    async def subscription(self, subscription_id: str) -> Told:
        """Tell how a subscription stands, and of its newest invoice if that is paid."""
        found = await self.wire.get(
            WholeSubscription,
            f"/subscriptions/{subscription_id}",
            {"expand": WHOLE_SUBSCRIPTION},
        )
        told = subscriptions.told_by(found, at=self.now, grace=self.grace)
        if found.latest_invoice is None or found.latest_invoice.status != "paid":
            return told
        known = {item.price.id: item.price for item in found.items.data}
        paid = await self._paid(found.latest_invoice, known)
        return replace(told, payments=paid.payments, refunds=paid.refunds)

    async def _invoice(self, invoice_id: str) -> Told:
        invoice = await self.wire.get(Invoice, f"/invoices/{invoice_id}")
        paid = await self._paid(invoice, {}) if invoice.status == "paid" else Told()
        if invoice.subscription_id is None:
            return paid
        stands = await self.subscription(invoice.subscription_id)
        payments = {each.transaction_id: each for each in (*stands.payments, *paid.payments)}
        refunds = {each.refund_id: each for each in (*stands.refunds, *paid.refunds)}
        return replace(stands, payments=tuple(payments.values()), refunds=tuple(refunds.values()))

    async def _paid(self, invoice: Invoice, known: dict[str, Price]) -> Told:
        lines = [await self._priced(line, known) for line in invoice.lines.data]
        whole = invoice.lines.model_copy(update={"data": tuple(lines)})
        return invoices.told_by(invoice.model_copy(update={"lines": whole}), at=self.now)

    async def _priced(self, line: Line, known: dict[str, Price]) -> Line:
        """Put the whole price into a line that names it by its id."""
        price = line.sold
        if price is None or price.our_product:
            return line
        if price.id not in known:
            known[price.id] = await self.wire.get(
                Price, f"/prices/{price.id}", {"expand": ["product"]}
            )
        return line.model_copy(update={"price": known[price.id]})

    async def _checkout(self, session_id: str) -> Told:
        session = await self.wire.get(
            CheckoutSession,
            f"/checkout/sessions/{session_id}",
            {"expand": ["line_items.data.price.product"]},
        )
        return checkouts.told_by(session, at=self.now)

    async def _dispute(self, dispute_id: str) -> Told:
        dispute = await self.wire.get(Dispute, f"/disputes/{dispute_id}")
        if is_inquiry(dispute):
            return Told(remark=INQUIRY)
        paid_for = await self._paid_for(dispute.payment_intent, dispute.charge)
        return Told(refunds=(dispute_of(dispute, paid_for, at=self.now),))

    async def _refunds(self, payment_intent: str | None, charge: str | None) -> Told:
        if payment_intent is None and charge is None:
            return Told(remark=UNRESOLVED)
        paid_for = await self._paid_for(payment_intent, charge)
        of = {"payment_intent": payment_intent} if payment_intent else {"charge": charge}
        listed = await self.wire.get(Refunds, "/refunds", {**of, "limit": 100})
        return Told(refunds=refunds_of(listed.data, paid_for, at=self.now))

    async def _paid_for(self, payment_intent: str | None, charge_id: str | None) -> PaidFor:
        """Find the transaction of ours that money went back for."""
        if payment_intent is None:
            charge = await self.wire.get(Charge, f"/charges/{charge_id}")
            if charge.payment_intent is None:
                return PaidFor(transaction_id=charge.id, total_minor=charge.amount)
            payment_intent = charge.payment_intent
        listed = await self.wire.get(
            InvoicePayments,
            "/invoice_payments",
            {
                "payment": {"type": "payment_intent", "payment_intent": payment_intent},
                "expand": ["data.invoice"],
                "limit": 1,
            },
        )
        if listed.data:
            invoice = listed.data[0].invoice
            return PaidFor(transaction_id=invoice.id, total_minor=invoice.amount_paid)
        intent = await self.wire.get(PaymentIntent, f"/payment_intents/{payment_intent}")
        return PaidFor(transaction_id=intent.id, total_minor=intent.amount_received)
