"""Naming what Google answered, so that the same answer is one event."""

import json
from datetime import datetime
from hashlib import sha256

from medici.adapters.payments.google.resources import ProductPurchase, SubscriptionPurchase
from medici.adapters.payments.news import NOBODY, Buyer


def event_id(token: str, answer: SubscriptionPurchase | ProductPurchase, now: datetime) -> str:
    """Derive an id from the token and all that was answered.

    Google's etag tells a state apart from an equal one of before; without it, the time has to.
    """
    content = answer.model_dump(mode="json")
    content["at"] = None if answer.etag else now.isoformat()
    said = json.dumps([token, content], sort_keys=True)
    return f"fetched:{sha256(said.encode()).hexdigest()}"


def buyer(account_id: str | None) -> Buyer:
    """Return the random id that the app passed at purchase, in the spelling that we gave out."""
    return Buyer(account_token=account_id.lower()) if account_id else NOBODY
