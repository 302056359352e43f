"""What arrives from outside: Apple's notifications, and transactions that an app hands in."""

import asyncio
from datetime import datetime

from medici.adapters.payments.apple.reading import read_notification, read_transaction
from medici.adapters.payments.apple.verifying import AppleApp, Verifier
from medici.adapters.payments.apple.words import signed_payload
from medici.adapters.payments.news import StoreNews


class AppleNotifications:
    """Proves and reads Apple's words, in a thread: each takes some milliseconds of a core."""

    def __init__(self, app: AppleApp) -> None:
        """Prepare for the app; raises ValueError where its settings allow no proof."""
        self._verifier = Verifier(app)
        self._max_age = app.max_age

    async def read(self, raw: bytes, *, now: datetime) -> StoreNews:
        """Read the body of a notification.

        Raises:
            SignatureRefused: it is not Apple's word to us, or too old a one.
            MessageUnreadable: it is, but not of a shape that we know.
            StoreUnavailable: Apple could not be asked about a certificate.
        """
        return await asyncio.to_thread(
            read_notification,
            self._verifier,
            signed_payload(raw),
            not_before=now - self._max_age,
            now=now,
        )

    async def read_transaction(self, signed: str, *, now: datetime) -> StoreNews:
        """Read a signed transaction that an app handed in; raises as ``read`` does."""
        return await asyncio.to_thread(read_transaction, self._verifier, signed, now=now)
