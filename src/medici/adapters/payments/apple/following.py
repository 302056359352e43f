"""What a notification leaves open, so that Apple is asked for it."""

from medici.adapters.payments.news import StoreNews

UPGRADE = "UPGRADE"


def needs_lookup(news: StoreNews) -> bool:
    """Tell whether the store should be asked how the purchase stands.

    After an upgrade Apple tells of the new period alone; only the history names the old one, whose
    rest is to be given back.
    """
    return news.event_type.rpartition(".")[2] == UPGRADE
