"""Names of what Google can be asked for, and of what it wants to hear back.

``subscription:<package>:<token>`` and ``product:<package>:<token>`` are handles;
``acknowledge:…`` and ``consume:<package>:<product>:<token>`` are receipts.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from medici.adapters.payments.errors import PurchaseUnknown

PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+", re.ASCII)
TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,2000}", re.ASCII)
LONGEST_LINEAGE = 200  # in characters; a longer token is named by its hash


class Bought(StrEnum):
    """What a token was bought for."""

    SUBSCRIPTION = "subscription"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """A purchase that Google can be asked about."""

    bought: Bought
    package: str
    token: str

    @classmethod
    def parse(cls, text: str) -> "Handle":
        """Read a handle.

        Raises:
            PurchaseUnknown: no purchase has such a handle.
        """
        kind, package, token = [*text.split(":"), "", ""][:3]
        if kind not in {*Bought} or text.count(":") != 2 or not is_plain(package, token):
            raise PurchaseUnknown("this is no handle of Google's")
        return cls(bought=Bought(kind), package=package, token=token)

    def __str__(self) -> str:
        return f"{self.bought}:{self.package}:{self.token}"


class Duty(StrEnum):
    """What Google wants to hear about a payment."""

    ACKNOWLEDGE = "acknowledge"
    CONSUME = "consume"  # acknowledges it as well, and lets it be bought again


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A payment that Google wants to hear of."""

    duty: Duty
    package: str
    product_id: str
    token: str

    @classmethod
    def parse(cls, text: str) -> "Receipt":
        """Read a receipt.

        Raises:
            PurchaseUnknown: no payment has such a receipt.
        """
        duty, package, product_id, token = [*text.split(":"), "", "", ""][:4]
        plain = text.count(":") == 3 and is_plain(package, token) and TOKEN.fullmatch(product_id)
        if duty not in {*Duty} or not plain:
            raise PurchaseUnknown("this is no receipt of Google's")
        return cls(duty=Duty(duty), package=package, product_id=product_id, token=token)

    def __str__(self) -> str:
        return f"{self.duty}:{self.package}:{self.product_id}:{self.token}"


def is_plain(package: str, token: str) -> bool:
    """Tell whether both can stand in a path and lead nowhere else."""
    dots = token.strip(".") == ""
    return not dots and bool(PACKAGE.fullmatch(package) and TOKEN.fullmatch(token))


def lineage_of(token: str) -> str:
    """Return the name of the lineage that began with a token."""
    if len(token) <= LONGEST_LINEAGE:
        return token
    return f"sha256:{sha256(token.encode()).hexdigest()}"
