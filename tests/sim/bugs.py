"""The mistakes that the simulator must find, each switched on by itself."""

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
    ONE_TRY_MORE = "a provider is asked once more than its failure allows"
    CIRCUIT_IGNORED = "a provider is asked while it is to be left alone"
    TRIALS_CROWD = "a provider that has failed is tried out by several at once"
    PLACE_UNCOUNTED = "a provider's place counts as free while work is on its way there"
    GIVEN_BACK_LATE = "credits go back to a grant that has ended"
    BURNT_BACKWARDS = "the credits that end first are spent last"
    ALLOWANCE_AGAIN = "the day's credits are given at every visit"
    UPGRADE_IN_FULL = "a better plan gives the whole day a second time"
    DAYS_PILE_UP = "yesterday's credits stay beside today's"
