"""Whose a purchase is, by all that was told about its buyer. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from medici.domain.billing.policy import StorePolicy, Transfers


class Strength(IntEnum):
    """How well a message knows whom it names."""

    CUSTOMER = 1  # the store's customer, whom a checkout led there
    NAMED = 2  # our user's id came along
    TOKEN = 3  # the random id that we gave the app for this user


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """A message of the store that names a user of ours."""

    user_id: str
    strength: Strength


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Whose a purchase is; ``bound`` where the store itself said so, ``claimed`` by showing it."""

    user_id: str | None = None
    bound: bool = False
    claimed: bool = False


def owner_of(namings: Sequence[Naming], claims: Iterable[str], policy: StorePolicy) -> Ownership:
    """Return the owner. ``namings`` are in the order of the messages, ``claims`` as they came.

    A claim beats what the store says only where purchases may be transferred.
    """
    claimed = list(claims)
    named = _named(namings, policy)
    if claimed and (named is None or _may_move(policy)):
        return Ownership(user_id=claimed[-1], bound=named is not None, claimed=True)
    return Ownership(user_id=named, bound=named is not None)


def _named(namings: Sequence[Naming], policy: StorePolicy) -> str | None:
    if not namings:
        return None
    strongest = max(one.strength for one in namings)
    best = [one.user_id for one in namings if one.strength is strongest]
    return best[-1] if policy.transfers is Transfers.TRANSFER else best[0]


def _may_move(policy: StorePolicy) -> bool:
    return policy.transfers in {Transfers.TRANSFER, Transfers.TRANSFER_IF_INACTIVE}
