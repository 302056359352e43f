"""Apple's words for tests, as Apple would write them."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jwt

from medici.adapters.payments.apple.verifying import AppleApp
from medici.fakes.apple.authority import (
    Authority,
    Writer,
    milliseconds,
)

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
END = datetime(2026, 12, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACCOUNT = "0b7c1e2a-5d3f-4a6b-9c8d-7e6f5a4b3c2d"


@cache
def authority() -> Authority:
    """Return one authority for the whole run; making keys takes time."""
    return Authority.make()


@cache
def other_authority() -> Authority:
    """Return an authority that nobody trusts, of the same names."""
    return Authority.make()


def writer(**more: Any) -> Writer:
    return Writer(authority=authority(), **more)


def app(**more: Any) -> AppleApp:
    """Return the app that ``writer`` writes for, in both environments."""
    usual = AppleApp(
        bundle_ids=("com.example.medici",),
        roots=(authority().root.der,),
        environments=("Production", "Sandbox"),
        app_id=1234567890,
    )
    return replace(usual, **more)


def bought(**more: Any) -> dict[str, Any]:
    """Return the claims of a paid month."""
    return {
        "originalTransactionId": "2000000000000001",
        "transactionId": "2000000000000002",
        "productId": "pro_monthly_ios",
        "originalPurchaseDate": milliseconds(START),
        "purchaseDate": milliseconds(START),
        "expiresDate": milliseconds(END),
        "appAccountToken": ACCOUNT,
        "price": 14990,
        "currency": "USD",
        "transactionReason": "PURCHASE",
        **more,
    }


def renewing(**more: Any) -> dict[str, Any]:
    """Return the claims about its next renewal."""
    return {
        "originalTransactionId": "2000000000000001",
        "productId": "pro_monthly_ios",
        "autoRenewProductId": "pro_monthly_ios",
        "renewalDate": milliseconds(END),
        "renewalPrice": 14990,
        "currency": "USD",
        **more,
    }


@dataclass(frozen=True, kw_only=True)
class Letter:
    """An honest notification of a paid month, and the parts to alter."""

    writer: Writer = field(default_factory=writer)
    at: datetime = NOW
    uuid: str = "11111111-2222-4333-8444-555555555555"
    kind: str = "DID_RENEW"

    def signed(self, *, by: Writer | None = None, **given: Any) -> str:
        """Sign the notification; ``by`` signs the outer word in place of the writer."""
        inner = {
            "signedTransactionInfo": self.writer.transaction(self.at, **bought()),
            "signedRenewalInfo": self.writer.renewal(self.at, **renewing()),
            "status": 1,
        }
        data = {**inner, **given.pop("data", {})}
        return (by or self.writer).notification(
            self.at, uuid=self.uuid, kind=self.kind, data=data, **given
        )

    @property
    def body(self) -> bytes:
        return enveloped(self.signed())

    def claims(self) -> dict[str, Any]:
        read: dict[str, Any] = jwt.decode(self.signed(), options={"verify_signature": False})
        return read


def enveloped(signed: str) -> bytes:
    return json.dumps({"signedPayload": signed}).encode()
