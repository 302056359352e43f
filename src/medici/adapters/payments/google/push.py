"""The door's side of Pub/Sub: who may push, and what a push says."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from medici.adapters.oidc import KeySource
from medici.adapters.payments.errors import MessageUnreadable, StoreNotConfigured, TokenRefused
from medici.adapters.payments.google.messages import PlayMessage, read_message
from medici.adapters.payments.google.proof import PushIdentity, bearer
from medici.adapters.payments.news import AuthMode
from medici.kernel.tokens import same_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class PubSubPush:
    """Proves and reads pushes about our ``packages``.

    With an ``identity`` only Google's token counts, whatever secrets there are. Without one the
    shared secret in the push address does, several while one replaces another; and with neither,
    everybody may push where it is ``open``.
    """

    keys: KeySource
    packages: tuple[str, ...]
    identity: PushIdentity | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    open: bool = False

    async def read(
        self, raw: bytes, *, authorization: str | None, token: str | None, now: datetime
    ) -> PlayMessage:
        """Read the body of a push; ``token`` is the query's.

        Raises:
            TokenRefused: the token or secret is missing or wrong.
            StoreNotConfigured: there is nothing that a push could be proven by.
            IssuerUnavailable: Google's keys are not known and cannot be had.
            MessageUnreadable: it is no message about one of our apps.
        """
        proof = await self._admit(authorization, token, now)
        message = read_message(raw, proof)
        if message.package not in self.packages:
            raise MessageUnreadable("the message is about another app")
        return message

    async def _admit(self, authorization: str | None, token: str | None, now: datetime) -> AuthMode:
        if self.identity is not None:
            await self.identity.check(bearer(authorization), self.keys, now=now)
            return AuthMode.NATIVE
        if self.secrets:
            if token is None or not any(same_secret(token, secret) for secret in self.secrets):
                raise TokenRefused("the push's secret is missing or wrong")
            return AuthMode.RELAY
        if self.open:
            return AuthMode.OPEN
        raise StoreNotConfigured("neither a service account nor a secret of pushes is configured")


def is_push(raw: bytes) -> bool:
    """Tell whether a body has the form that Pub/Sub posts, whatever it is worth."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    message = body.get("message") if isinstance(body, dict) else None
    return isinstance(message, dict) and "data" in message
