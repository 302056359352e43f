"""Who bought, as far as Stripe's objects carry it."""

import re
from collections.abc import Mapping

from medici.adapters.payments.news import Buyer

# By these names our ids stand in the metadata of Stripe's objects.
USER = "medici_user"
CHECKOUT = "medici_checkout"
ACCEPTED = re.compile(r"[ -~]{1,128}")


def buyer_of(
    metadata: Mapping[str, str], customer_id: str | None, reference: str | None = None
) -> Buyer:
    """Return who bought by the metadata, or by the ``reference`` that a checkout was given."""
    return Buyer(
        user_id=_accepted(metadata.get(USER) or metadata.get("user_id") or reference),
        customer_id=customer_id,
        checkout_id=_accepted(metadata.get(CHECKOUT)),
    )


def _accepted(text: str | None) -> str | None:
    return text if text and ACCEPTED.fullmatch(text) else None
