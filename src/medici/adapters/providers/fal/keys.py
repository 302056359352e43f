"""Knowing the keys that fal's webhooks are signed with: asked for, and remembered for a day."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

REMEMBERED = timedelta(hours=24)
# Forged calls must not make us ask more often than this.
REFRESH_AFTER = timedelta(minutes=1)


Keys: TypeAlias = Sequence[Ed25519PublicKey]
Fetch: TypeAlias = Callable[[], Awaitable[Keys]]


@dataclass(slots=True)
class PublicKeys:
    """The keys as they were published last. Calls that come at once wait for one answer."""

    _known: Keys = field(default=(), init=False)
    _learned_at: datetime | None = field(default=None, init=False)
    _asked_at: datetime | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def known(self, fetch: Fetch, now: datetime) -> Keys:
        """Return the keys of the last day; none where they were asked for just before, in vain.

        Raises:
            ProviderFailure: they cannot be had.
        """
        if self._are_fresh(now):
            return self._known
        async with self._turn:
            if self._are_fresh(now):
                return self._known
            self._known = ()
            return await self._learned(fetch, now) or ()

    async def renewed(self, fetch: Fetch, now: datetime, *, instead_of: Keys) -> Keys | None:
        """Return the keys as they are published now; None if those of just before did not help."""
        async with self._turn:
            if self._known is not instead_of:
                return self._known
            return await self._learned(fetch, now)

    def _are_fresh(self, now: datetime) -> bool:
        return self._learned_at is not None and now - self._learned_at <= REMEMBERED

    async def _learned(self, fetch: Fetch, now: datetime) -> Keys | None:
        if self._asked_at is not None and now - self._asked_at < REFRESH_AFTER:
            return None
        self._asked_at = now
        self._known = await fetch()
        self._learned_at = now
        return self._known
