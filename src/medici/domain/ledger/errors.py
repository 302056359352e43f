"""What can go wrong with credits, in the words of the product."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from medici.kernel.errors import Kind, MediciError


class InsufficientCredits(MediciError):
    """The available credits do not cover the price."""

    kind = Kind.PAYMENT_REQUIRED
    code = "insufficient_credits"

    def __init__(self, *, available: int, needed: int) -> None:
        super().__init__(f"{needed} credits needed, {available} available")
        self.available = available
        self.needed = needed

    def details(self) -> Mapping[str, object]:
        return {"available": self.available, "needed": self.needed}


class WalletParked(MediciError):
    """The wallet's books do not balance; nothing is spent from it until somebody has looked."""

    kind = Kind.CONFLICT
    code = "wallet_parked"


class BooksDoNotBalance(MediciError):
    """A posting would break an invariant: the stored rows contradict each other."""

    kind = Kind.INTERNAL
    code = "ledger_unbalanced"

    def __init__(self, wallet_id: UUID) -> None:
        super().__init__(f"the books of wallet {wallet_id} do not balance")
        self.wallet_id = wallet_id


class IdempotencyKeyReused(MediciError):
    """The key already stands for a request with other content."""

    kind = Kind.CONFLICT
    code = "idempotency_key_reused"


class HoldAlreadyResolved(MediciError):
    """The hold has ended, and in another way than is asked now."""

    kind = Kind.CONFLICT

    def __init__(self, status: StrEnum) -> None:
        super().__init__(f"the hold is already {status}")
        self.status = status
        self.code = f"hold_already_{status}"


class CaptureExceedsHold(MediciError):
    """More was to be captured than had been held; take a second hold instead."""

    kind = Kind.CONFLICT
    code = "capture_exceeds_hold"


class RefundExceedsCharge(MediciError):
    """More was to be given back than this transaction took and has not given back yet."""

    kind = Kind.CONFLICT
    code = "refund_exceeds_charge"


class GrantAlreadyThere(MediciError):
    """The other wallet holds a grant of the same origin already."""

    kind = Kind.CONFLICT
    code = "grant_already_there"


class InvalidAmount(MediciError):
    """Credits move in whole numbers from 1 up to a limit far above any real price."""

    kind = Kind.INVALID
    code = "invalid_amount"


class WalletNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "wallet_not_found"


class GrantNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "grant_not_found"


class HoldNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "hold_not_found"


class TransactionNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "transaction_not_found"
