"""Having a notification told, with whatever it shall say beside the usual."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from medici.adapters.payments.apple.notifications import AppleNotifications
from medici.adapters.payments.news import (
    PurchaseState,
    Standing,
    StoreNews,
)
from medici.fakes.apple.authority import milliseconds
from tests.support.apple import (
    NOW,
    bought,
    enveloped,
    renewing,
    writer,
)

State = PurchaseState
LINEAGE, TRANSACTION = "2000000000000001", "2000000000000002"
OVER = milliseconds(NOW - timedelta(days=1))
ENDED: dict[str, Any] = {"expiresDate": OVER}
REVOKED_AT = NOW - timedelta(hours=1)
REVOKED: dict[str, Any] = {"revocationDate": milliseconds(REVOKED_AT), "revocationReason": 1}
GRACE_END = NOW + timedelta(days=6)


@dataclass(frozen=True, kw_only=True)
class Said:
    """A notification: its type, what its two words say beside the usual, and the status."""

    kind: str
    subtype: str | None = None
    transaction: dict[str, Any] = field(default_factory=dict)
    renewal: dict[str, Any] | None = field(default_factory=dict)
    status: int | None = 1

    def body(self) -> bytes:
        by = writer()
        data: dict[str, Any] = {
            "signedTransactionInfo": by.transaction(NOW, **bought(**self.transaction)),
        }
        if self.renewal is not None:
            data["signedRenewalInfo"] = by.renewal(NOW, **renewing(**self.renewal))
        if self.status is not None:
            data["status"] = self.status
        return enveloped(
            by.notification(NOW, uuid="n1", kind=self.kind, subtype=self.subtype, data=data)
        )


async def told(notifications: AppleNotifications, kind: str, **said: Any) -> StoreNews:
    return await notifications.read(Said(kind=kind, **said).body(), now=NOW)


async def standing(notifications: AppleNotifications, kind: str, **said: Any) -> Standing:
    (found,) = (await told(notifications, kind, **said)).standings
    return found
