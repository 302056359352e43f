"""Knowing the keys that fal's webhooks are signed with: asked for, and remembered for a day."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

REMEMBERED = timedelta(hours=24)
# Forged calls must not make us ask more often than this.
REFRESH_AFTER = timedelta(minutes=1)


@dataclass(slots=True)
class PublicKeys:
    """The keys as they were published last."""

    _known: Sequence[Ed25519PublicKey] = field(default=(), init=False)
    _learned_at: datetime | None = field(default=None, init=False)
    _asked_at: datetime | None = field(default=None, init=False)

    async def known(
        self, fetch: Callable[[], Awaitable[Sequence[Ed25519PublicKey]]], now: datetime
    ) -> Sequence[Ed25519PublicKey]:
        """Return the keys of the last day; none where they were asked for just before, in vain.

        Raises:
            ProviderFailure: they cannot be had.
        """
        if self._learned_at is not None and now - self._learned_at <= REMEMBERED:
            return self._known
        return await self.renewed(fetch, now) or ()

    async def renewed(
        self, fetch: Callable[[], Awaitable[Sequence[Ed25519PublicKey]]], now: datetime
    ) -> Sequence[Ed25519PublicKey] | None:
        """Return the keys as they are published now; None if they were asked for just before."""
        if self._asked_at is not None and now - self._asked_at < REFRESH_AFTER:
            return None
        self._asked_at = now
        self._known = await fetch()
        self._learned_at = now
        return self._known
