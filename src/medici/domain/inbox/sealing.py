"""What a message told, sealed for its row, since it names buyers and what they paid."""

from uuid import UUID

from pydantic import TypeAdapter

from medici.adapters.payments.news import StoreNews
from medici.kernel import crypto
from medici.kernel.crypto import UnknownKey
from medici.kernel.keyring import KeyRing

NEWS = TypeAdapter(StoreNews)


def sealed(news: StoreNews, row_id: UUID, keys: KeyRing) -> bytes:
    """Seal a message for the row that it is stored in."""
    return crypto.seal(keys.current, NEWS.dump_json(news), _place(row_id)).encode()


def opened(payload: bytes, row_id: UUID, keys: KeyRing) -> StoreNews:
    """Open a stored message.

    Raises:
        UnknownKey: what it was sealed with has left the ring.
        CannotDecrypt: damaged, or another row's.
    """
    text = payload.decode()
    wanted = crypto.key_id_of(text)
    for key in keys.keys:
        if key.id == wanted:
            return NEWS.validate_json(crypto.unseal(key, text, _place(row_id)))
    raise UnknownKey(wanted)


def _place(row_id: UUID) -> bytes:
    return crypto.associated("webhook_events", "payload", str(row_id))
