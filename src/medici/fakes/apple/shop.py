"""What the fake App Store knows: purchases, as they were scripted, and what it has told of them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from medici.fakes.apple.authority import Writer, milliseconds
from medici.fakes.plane import Plane

Claims = dict[str, Any]


class Purchase(BaseModel):
    """How a purchase stands by Apple's word; the claims are signed whenever somebody asks.

    ``past`` are the claims of its earlier transactions. Without ``status`` it was bought once.
    """

    model_config = ConfigDict(extra="forbid")

    transaction: Claims
    renewal: Claims | None = None
    status: int | None = None
    past: tuple[Claims, ...] = ()


class Consumption(BaseModel):
    """How much of a payment was used; ``percentage`` is in thousandths of a percent."""

    model_config = ConfigDict(extra="forbid", strict=True)

    customer_consented: bool = Field(alias="customerConsented")
    sample_provided: bool = Field(alias="sampleContentProvided")
    delivery: Literal[
        "DELIVERED",
        "UNDELIVERED_QUALITY_ISSUE",
        "UNDELIVERED_WRONG_ITEM",
        "UNDELIVERED_SERVER_OUTAGE",
        "UNDELIVERED_OTHER",
    ] = Field(alias="deliveryStatus")
    percentage: int | None = Field(None, alias="consumptionPercentage", ge=0, le=100_000)
    preference: Literal["DECLINE", "GRANT_FULL", "GRANT_PRORATED"] | None = Field(
        None, alias="refundPreference"
    )

    @property
    def delivered(self) -> bool:
        return self.delivery == "DELIVERED"


class Wanted(BaseModel):
    """A notification to make: kept in the history, and sent to ``url`` if there is one.

    Of a purchase that is known under ``purchase`` it carries the words, else those given here.
    ``sends`` is how often it is sent, ``seconds_ago`` how old it is.
    """

    model_config = ConfigDict(extra="forbid")

    kind: str
    subtype: str | None = None
    uuid: str | None = None
    purchase: str | None = None
    data: Claims | None = None
    transaction: Claims | None = None
    renewal: Claims | None = None
    status: int | None = None
    extra: Claims = {}
    url: str | None = None
    sends: int = Field(1, ge=1, le=10)
    seconds_ago: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One notification of the history. ``at`` is in milliseconds."""

    uuid: str
    at: int
    signed: str


@dataclass(kw_only=True)
class Shop:
    """Purchases by their original transaction, and the notifications, oldest first.

    ``used`` is what it was told of single transactions before it decided on a refund.
    """

    plane: Plane
    writer: Writer
    purchases: dict[str, Purchase] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    used: dict[str, Consumption] = field(default_factory=dict)

    def tell(self, wanted: Wanted) -> Told:
        """Sign a notification and remember it."""
        at = self.plane.now() - timedelta(seconds=wanted.seconds_ago)
        uuid = wanted.uuid or self.plane.new_id()
        signed = self.writer.notification(
            at,
            uuid=uuid,
            kind=wanted.kind,
            subtype=wanted.subtype,
            data=self._data(wanted, at),
            **wanted.extra,
        )
        told = Told(uuid=uuid, at=milliseconds(at), signed=signed)
        self.told.append(told)
        return told

    def _data(self, wanted: Wanted, at: datetime) -> Claims | None:
        """Return the part about a purchase, where the notification is about one."""
        known = self.purchases.get(wanted.purchase or "")
        words = wanted.model_copy(
            update={
                name: getattr(known, name)
                for name in ("transaction", "renewal", "status")
                if known is not None and getattr(wanted, name) is None
            }
        )
        if wanted.data is None and words.transaction is None:
            return None
        data: Claims = {} if words.status is None else {"status": words.status}
        if words.transaction is not None:
            data["signedTransactionInfo"] = self.writer.transaction(at, **words.transaction)
        if words.renewal is not None:
            data["signedRenewalInfo"] = self.writer.renewal(at, **words.renewal)
        return data | (wanted.data or {})

    def find(self, transaction_id: str) -> Purchase | None:
        """Return the purchase that a transaction of it names."""
        for purchase in self.purchases.values():
            named = (purchase.transaction, *purchase.past)
            ids = {claims.get("transactionId") for claims in named}
            if transaction_id in ids | {purchase.transaction.get("originalTransactionId")}:
                return purchase
        return None

    def signed_transaction(self, claims: Claims) -> str:
        return self.writer.transaction(self.plane.now(), **claims)

    def signed_renewal(self, claims: Claims) -> str:
        return self.writer.renewal(self.plane.now(), **claims)
