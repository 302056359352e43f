"""Who owns things: one shape for users, shops and organisations."""

from dataclasses import dataclass
from enum import StrEnum


class OwnerKind(StrEnum):
    USER = "user"
    SHOP = "shop"
    ORG = "org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The owner of a wallet, a picture, an entitlement."""

    kind: OwnerKind
    id: str

    @classmethod
    def user(cls, user_id: str) -> "Owner":
        return cls(kind=OwnerKind.USER, id=user_id)

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"
