"""What can go wrong with a stored file, or with a link to one."""

from typing import ClassVar

from medici.kernel.errors import Kind, MediciError, Unavailable


class InvalidKey(MediciError):
    """The text cannot name an object of ours."""

    kind: ClassVar[Kind] = Kind.INVALID
    code = "invalid_file_key"


class ObjectNotFound(MediciError):
    """Nothing is stored under the key."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code = "file_not_found"

    def __init__(self, key: str) -> None:
        super().__init__(f"nothing is stored under {key!r}")
        self.key = key


class StorageUnavailable(Unavailable):
    """The store does not answer, or does not let us in."""

    code = "storage_unavailable"


class InvalidSignature(MediciError):
    """The link was not made by us, or not for this."""

    kind: ClassVar[Kind] = Kind.FORBIDDEN
    code = "invalid_signature"


class SignatureExpired(MediciError):
    """The link was ours and its time is over."""

    kind: ClassVar[Kind] = Kind.FORBIDDEN
    code = "signature_expired"


class LifetimeTooLong(MediciError):
    """A link was to live longer than its purpose allows."""

    kind: ClassVar[Kind] = Kind.INVALID
    code = "link_lifetime_too_long"
