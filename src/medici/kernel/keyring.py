"""The keys of the installation, from ``ENCRYPTION_KEYS``: the first seals, all of them open."""

import base64
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from medici.kernel import crypto
from medici.kernel.crypto import Key, UnknownKey
from medici.kernel.errors import MediciError

LONE_KEY_ID = "k1"


class InvalidKeys(MediciError):
    """The configured keys cannot be used; the message names no secret."""

    code = "invalid_encryption_keys"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Key-encryption keys, newest first. ``owner`` is ``owner_kind:owner_id`` throughout."""

    keys: tuple[Key, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise InvalidKeys("no encryption key is configured")
        if len(self.ids) != len(self.keys):
            raise InvalidKeys("two encryption keys have the same id")

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read ``k2:base64,k1:base64``, newest first, or one bare base64 key, which is ``k1``.

        Raises:
            InvalidKeys: empty, not base64, not 32 bytes, or an id twice.
        """
        return cls(tuple(_read_key(part) for part in text.split(",") if part.strip()))

    @classmethod
    def load_or_create(cls, path: Path) -> "KeyRing":
        """Read the key file of a development machine, making it with mode 0600 if it is missing."""
        if not path.exists():
            _create(path)
        return cls.parse(path.read_text("ascii"))

    @property
    def current(self) -> Key:
        return self.keys[0]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(key.id for key in self.keys)

    def wrap(self, dek: Key, owner: str) -> str:
        """Seal an owner's data key for storage, under the current key."""
        return crypto.seal(self.current, dek.secret, crypto.associated(owner, dek.id))

    def unwrap(self, record: str, owner: str, dek_id: str) -> Key:
        """Open a stored data key.

        Raises:
            UnknownKey: its key-encryption key has left the ring.
            CannotDecrypt: damaged, or of another owner or id.
        """
        key = self._key(crypto.key_id_of(record))
        return Key(dek_id, crypto.unseal(key, record, crypto.associated(owner, dek_id)))

    def rewrap(self, record: str, owner: str, dek_id: str) -> str:
        """Return the record under the current key; unchanged if it already is."""
        if crypto.key_id_of(record) == self.current.id:
            return record
        return self.wrap(self.unwrap(record, owner, dek_id), owner)

    def derive(self, purpose: str) -> tuple[bytes, ...]:
        """Return 32 bytes for one purpose from each key, newest first.

        Sign with the first, accept any: so signatures outlive a rotation.
        """
        return _derived(self.keys, purpose)

    def _key(self, key_id: str) -> Key:
        for key in self.keys:
            if key.id == key_id:
                return key
        raise UnknownKey(key_id)


def _read_key(part: str) -> Key:
    key_id, _, encoded = part.strip().rpartition(":")
    standard = encoded.translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        secret = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
        return Key(key_id or LONE_KEY_ID, secret)
    except ValueError as error:
        raise InvalidKeys(f"an encryption key is not usable: {error}") from error


def _create(path: Path) -> None:
    secret = base64.b64encode(os.urandom(crypto.KEY_BYTES)).decode()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600, exist_ok=False)
    draft.write_text(f"{LONE_KEY_ID}:{secret}\n", "ascii")
    try:
        os.link(draft, path)  # atomic, and refused if another process was faster
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@lru_cache(maxsize=64)
def _derived(keys: tuple[Key, ...], purpose: str) -> tuple[bytes, ...]:
    return tuple(_derive(key, purpose) for key in keys)


def _derive(key: Key, purpose: str) -> bytes:
    return HKDF(
        algorithm=SHA256(), length=crypto.KEY_BYTES, salt=None, info=f"medici/{purpose}".encode()
    ).derive(key.secret)
