"""What can go wrong with purchases."""

from medici.kernel.errors import Kind, MediciError, Unavailable


class PurchaseOfAnother(MediciError):
    """Somebody else has this purchase, and it stays theirs."""

    kind = Kind.CONFLICT
    code = "purchase_owned_by_another_user"


class NothingToClaim(MediciError):
    """The store's word names no purchase and no payment."""

    kind = Kind.INVALID
    code = "nothing_to_claim"


class PurchaseNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "purchase_not_found"


class OverrideNotFound(MediciError):
    """The user has no override that lasts."""

    kind = Kind.NOT_FOUND
    code = "override_not_found"


class EndNotAhead(MediciError):
    """An override ends at some time to come."""

    kind = Kind.INVALID
    code = "end_must_be_in_the_future"


class PurchaseNotShown(Unavailable):
    """The store does not show a purchase; it may have told us of it before it can be asked."""

    code = "purchase_not_shown_yet"
    retry_after_seconds = 5.0


class UnknownTimeZone(MediciError):
    """There is no time zone of that name."""

    kind = Kind.INVALID
    code = "unknown_time_zone"
