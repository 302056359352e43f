"""Who a credential turned out to be."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The user that a bearer token speaks for."""

    id: str  # the user's
    platform: str | None
    expires_at: datetime
    token_hash: str = field(repr=False)


class Proof(StrEnum):
    """How an operator showed that they are one."""

    ADMIN_TOKEN = "admin_token"  # noqa: S105 - a name, not a secret
    LISTED_USER = "listed_user"
    OPEN_MODE = "open_mode"
    SYSTEM = "system"  # no person: a schedule or the start of the process


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Somebody who may run this deployment."""

    proof: Proof
    actor: str  # for the audit: "user:<id>", or how they proved it


SYSTEM = Operator(proof=Proof.SYSTEM, actor=Proof.SYSTEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A fresh token; the only moment at which it can be read."""

    token: str = field(repr=False)
    user_id: str
    expires_at: datetime
