"""What can go wrong between a store and us."""

from medici.kernel.errors import Kind, MediciError, Unavailable


class SignatureRefused(MediciError):
    """The message is not proven to be the store's; nothing in it was believed."""

    kind = Kind.INVALID
    code = "invalid_signature"


class TokenRefused(MediciError):
    """The caller's token or secret is missing or wrong."""

    kind = Kind.UNAUTHENTICATED
    code = "unauthorized"

    def __init__(self, message: str = "the credential is missing or wrong") -> None:
        super().__init__(message)


class MessageUnreadable(MediciError):
    """The message is proven, or needs no proof, but is none that a store sends."""

    kind = Kind.INVALID
    code = "invalid_payload"


class StoreNotConfigured(MediciError):
    """The settings that this store needs are not there."""

    kind = Kind.UNAUTHENTICATED
    code = "webhook_auth_not_configured"


class StoreUnavailable(Unavailable):
    """The store does not answer now."""

    code = "store_unavailable"
    retry_after_seconds = 5.0


class PurchaseUnknown(MediciError):
    """The store knows no such purchase."""

    kind = Kind.NOT_FOUND
    code = "purchase_not_found"
