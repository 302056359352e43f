"""Ten mistakes that the simulator must find, each switched on by itself."""

from enum import StrEnum


class Bug(StrEnum):
    """What is done wrongly. The values are the sentences that a reader of a failure sees."""

    NO_FENCE = "a run writes without looking whether it still holds its job"
    HOLD_KEPT = "a failed render keeps its credits"
    KEYED_BY_DELIVERY = "a purchase counts once per delivery of its notice"
    LATE_ENQUEUE = "a render is queued after its order has been committed"
    BLIND_RESUBMIT = "work is sent again after a lost answer, without asking"
    CAPTURE_REPEATS = "a hold can be captured twice"
    EARLY_THEFT = "a lease is judged by the worker's clock"
    ENDLESS_RETRIES = "tries are not counted"
    CANCEL_WINS = "a cancellation overrules a delivered picture"
    EXPIRED_SPENT = "credits are spent that time has taken"
