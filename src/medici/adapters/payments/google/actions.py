"""What a message leads to: asking Google, booking a refund, or nothing."""

from dataclasses import dataclass
from typing import TypeAlias

from medici.adapters.payments.google.handles import Bought, Handle, is_plain
from medici.adapters.payments.google.messages import REVOKED, MessageKind, PlayMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Ask how this purchase stands. ``revoked``: what has ended was taken away."""

    handle: str
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """Book that all of this order's money went back; ``handle`` is the purchase it paid for."""

    order_id: str
    handle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Keep the message and do nothing."""

    remark: str


Action: TypeAlias = Fetch | RefundOrder | Nothing


def action_of(message: PlayMessage) -> Action:
    """Decide what a message leads to, by the message alone."""
    if message.token is None or not is_plain(message.package, message.token):
        return Nothing(remark=_remark(message))
    match message.kind:
        case MessageKind.SUBSCRIPTION:
            handle = _handle(Bought.SUBSCRIPTION, message)
            return Fetch(handle=handle, revoked=message.number == REVOKED)
        case MessageKind.PRODUCT:
            return Fetch(handle=_handle(Bought.PRODUCT, message))
        case MessageKind.VOIDED if message.voided is not None:
            bought = Bought.SUBSCRIPTION if message.voided.is_subscription else Bought.PRODUCT
            handle = _handle(bought, message)
            # Of a part, only the purchase itself tells how large it is.
            if message.voided.partial:
                return Fetch(handle=handle)
            return RefundOrder(order_id=message.voided.order_id, handle=handle)
    return Nothing(remark=_remark(message))


def _handle(bought: Bought, message: PlayMessage) -> str:
    return str(Handle(bought=bought, package=message.package, token=message.token or ""))


def _remark(message: PlayMessage) -> str:
    match message.kind:
        case MessageKind.TEST:
            return "a test of the store's"
        case MessageKind.REFUND_REVIEW:
            return "a refund waits for our view of it"
        case MessageKind.UNKNOWN:
            return "a message of a kind that is not known"
    return "the purchase's token cannot be one of Google's"
