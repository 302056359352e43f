"""Money: payment intents with their charges, refunds, disputes."""

from medici.fakes.faults import NONE as NO_FAULT
from medici.fakes.stripe.ask import Ask
from medici.fakes.stripe.books import Books
from medici.fakes.stripe.log import Log
from medici.fakes.stripe.params import Record
from medici.fakes.stripe.problems import Problem


class Payments:
    def __init__(self, books: Books, log: Log) -> None:
        self._books = books
        self._log = log

    def pay(self, amount: int, currency: str, customer: str | None, metadata: Record) -> Record:
        """Take money at once and return the payment intent."""
        common: Record = {
            "amount": amount,
            "currency": currency,
            "customer": customer,
            "metadata": metadata,
            "status": "succeeded",
        }
        intent = self._books.new(
            "payment_intent", "pi", {**common, "amount_received": amount, "latest_charge": None}
        )
        charge = self._books.new("charge", "ch", common | _untouched(amount, intent["id"]))
        intent["latest_charge"] = charge["id"]
        self._books.plane.take(model="payment", given=intent["id"], fault=NO_FAULT)
        self._log.happened("charge.succeeded", charge)
        self._log.happened("payment_intent.succeeded", intent)
        return intent

    def get_intent(self, ask: Ask) -> Record:
        return self._books.get("payment_intent", ask.id)

    def get_charge(self, ask: Ask) -> Record:
        return self._books.get("charge", ask.id)

    def refund(self, ask: Ask) -> Record:
        charge = self._charge(ask)
        left = charge["amount"] - charge["amount_refunded"]
        amount = ask.number("amount")
        amount = left if amount is None else amount
        if not 0 < amount <= left:
            raise _too_much(charge, amount, left)
        fields = _of(charge, amount) | {
            "metadata": ask.nested("metadata"),
            "reason": ask.text("reason"),
            "status": "succeeded",
        }
        refund = self._books.new("refund", "re", fields)
        self._log.happened("refund.created", refund)
        self._count(charge, amount)
        self._log.happened("refund.updated", refund)
        return refund

    def get_refund(self, ask: Ask) -> Record:
        return self._books.get("refund", ask.id)

    def list_refunds(self, ask: Ask) -> list[Record]:
        return self._books.all(
            "refund", charge=ask.text("charge"), payment_intent=ask.text("payment_intent")
        )

    def fail_refund(self, refund_id: str) -> Record:
        """Have the money come back, days after it went."""
        refund = self._books.get("refund", refund_id)
        refund |= {"status": "failed", "failure_reason": "lost_or_stolen_card"}
        charge = self._books.get("charge", refund["charge"])
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        self._log.happened("refund.updated", refund)
        self._log.happened("refund.failed", refund)
        return refund

    def dispute(self, ask: Ask) -> Record:
        charge = self._charge(ask)
        charge["disputed"] = True
        fields = _of(charge, ask.number("amount") or charge["amount"]) | {
            "metadata": {},
            "reason": ask.text("reason") or "fraudulent",
            "status": ask.text("status") or "needs_response",
        }
        dispute = self._books.new("dispute", "du", fields)
        self._log.happened("charge.dispute.created", dispute)
        return dispute

    def get_dispute(self, ask: Ask) -> Record:
        return self._books.get("dispute", ask.id)

    def close_dispute(self, dispute_id: str, status: str) -> Record:
        """End a dispute; ``status`` is won, lost or warning_closed."""
        dispute = self._books.get("dispute", dispute_id)
        dispute["status"] = status
        self._log.happened("charge.dispute.closed", dispute)
        return dispute

    def _charge(self, ask: Ask) -> Record:
        if intent_id := ask.text("payment_intent"):
            intent = self._books.get("payment_intent", intent_id)
            return self._books.get("charge", intent["latest_charge"])
        return self._books.get("charge", ask.needed("charge"))

    def _count(self, charge: Record, amount: int) -> None:
        previous = {name: charge[name] for name in ("amount_refunded", "refunded")}
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self._log.happened("charge.refunded", charge, previous)


def _of(charge: Record, amount: int) -> Record:
    return {
        "amount": amount,
        "charge": charge["id"],
        "currency": charge["currency"],
        "payment_intent": charge["payment_intent"],
    }


def _untouched(amount: int, intent_id: str) -> Record:
    """Return what a charge holds of which nothing has gone back yet."""
    return {
        "amount_captured": amount,
        "amount_refunded": 0,
        "captured": True,
        "disputed": False,
        "paid": True,
        "payment_intent": intent_id,
        "refunded": False,
    }


def _too_much(charge: Record, amount: int, left: int) -> Problem:
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        return Problem(message, code="charge_already_refunded")
    message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
    return Problem(message, param="amount")
