"""Envelope encryption: an owner's data key seals values, the key ring seals the data keys.

A value is ``v1.<key id>.<nonce>.<ciphertext>``, AES-256-GCM, and opens only in the row, column
and owner it was written for. Keys are rotated by putting a new one first in the ring.
"""

import base64
import os
import re
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from medici.kernel.errors import MediciError

VERSION = "v1"
KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class UnknownKey(MediciError):
    """A value was sealed with a key that is no longer, or not yet, known."""

    code = "unknown_encryption_key"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"encryption key {key_id!r} is missing")
        self.key_id = key_id


class CannotDecrypt(MediciError):
    """The text is damaged, or was written for another place."""

    code = "cannot_decrypt"

    def __init__(self) -> None:
        super().__init__("the encrypted value is damaged or belongs to another place")


@dataclass(frozen=True, slots=True)
class Key:
    """32 secret bytes with a name; the bytes never show in a log or a traceback."""

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not KEY_ID.fullmatch(self.id):
            raise ValueError("a key id is 1 to 64 letters, digits, '-' or '_'")
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"key {self.id!r} must be {KEY_BYTES} bytes, not {len(self.secret)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sealed value lives; a copy put anywhere else does not open.

    ``owner`` is ``owner_kind:owner_id``.
    """

    owner: str
    table: str
    column: str
    row_id: str


def new_key(key_id: str) -> Key:
    """Make a key of 256 random bits."""
    return Key(key_id, os.urandom(KEY_BYTES))


def encrypt(key: Key, plaintext: str, place: Place) -> str:
    """Seal a secret of ``place`` with its owner's data key."""
    return seal(key, plaintext.encode(), associated(*_parts(place)))


def decrypt(key: Key, sealed: str, place: Place) -> str:
    """Open what ``encrypt`` made with the same key for the same place.

    Raises:
        UnknownKey: it was sealed with another key than ``key``.
        CannotDecrypt: damaged, cut, or of another place.
    """
    return unseal(key, sealed, associated(*_parts(place))).decode()


def key_id_of(sealed: str) -> str:
    """Return the id of the key that a sealed value needs."""
    return _split(sealed)[0]


def associated(*parts: str) -> bytes:
    """Join the parts that a value is bound to; no two different lists join to the same bytes."""
    return "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts).encode()


def seal(key: Key, plaintext: bytes, bound_to: bytes) -> str:
    """Encrypt and authenticate; ``bound_to`` is authenticated too, and not contained."""
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(key.secret).encrypt(nonce, plaintext, bound_to)
    return ".".join((VERSION, key.id, _text(nonce), _text(ciphertext)))


def unseal(key: Key, sealed: str, bound_to: bytes) -> bytes:
    """Open what ``seal`` made; raises ``UnknownKey`` or ``CannotDecrypt``."""
    key_id, nonce, ciphertext = _split(sealed)
    if key_id != key.id:
        raise UnknownKey(key_id)
    try:
        return AESGCM(key.secret).decrypt(nonce, ciphertext, bound_to)
    except (InvalidTag, ValueError) as error:
        raise CannotDecrypt from error


def _parts(place: Place) -> tuple[str, str, str, str]:
    return place.owner, place.table, place.column, place.row_id


def _split(sealed: str) -> tuple[str, bytes, bytes]:
    match sealed.split("."):
        case [version, key_id, nonce, ciphertext] if version == VERSION:
            return key_id, _octets(nonce), _octets(ciphertext)
    raise CannotDecrypt


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(text: str) -> bytes:
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise CannotDecrypt from error
    # The last character has spare bits: without this a changed text could still open.
    if _text(octets) != text:
        raise CannotDecrypt
    return octets
