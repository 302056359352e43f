"""The shared secrets of relays: who may tell us of purchases without a store's own signature."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from medici.adapters.payments.errors import StoreNotConfigured, TokenRefused
from medici.adapters.payments.news import AuthMode
from medici.kernel.errors import Kind, MediciError
from medici.kernel.tokens import same_secret
from medici.settings import listed_secrets


class RelayClosed(MediciError):
    """This deployment takes the stores' own word alone."""

    kind = Kind.FORBIDDEN
    code = "webhook_relay_disabled"

    def __init__(self) -> None:
        super().__init__("relays are switched off here; send the store's own message")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayGate:
    """What a relay must show. Several secrets hold at once while one replaces another."""

    enabled: bool
    production: bool
    secrets: tuple[str, ...]

    @classmethod
    def of(cls, secret: SecretStr | None, *, enabled: bool, production: bool) -> "RelayGate":
        return cls(enabled=enabled, production=production, secrets=listed_secrets(secret))

    def admit(self, headers: Mapping[str, str]) -> AuthMode:
        """Return what the sender's proof is worth.

        Raises:
            RelayClosed: relays are switched off.
            StoreNotConfigured: production, and no secret is configured.
            TokenRefused: the secret is missing or wrong.
        """
        if not self.enabled:
            raise RelayClosed
        if not self.secrets:
            if self.production:
                raise StoreNotConfigured("no secret of this webhook is configured")
            return AuthMode.OPEN
        if not matches(sent_secret(headers), self.secrets):
            raise TokenRefused("the webhook's secret is missing or wrong")
        return AuthMode.RELAY


def matches(sent: str | None, secrets: tuple[str, ...]) -> bool:
    """Tell whether what was sent is one of the secrets."""
    return sent is not None and any(same_secret(sent, secret) for secret in secrets)


def sent_secret(headers: Mapping[str, str]) -> str | None:
    """Return the secret of ``X-Webhook-Secret``, else of a bearer token that is no JWT."""
    if "x-webhook-secret" in headers:
        return headers["x-webhook-secret"]
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token and not _is_jwt(token) else None


def _is_jwt(token: str) -> bool:
    head = token.partition(".")[0]
    if token.count(".") != 2 or not token.isascii():
        return False
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header
