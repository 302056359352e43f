"""What a reset counts, and when one is due. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from medici.domain.billing.allowance import ResetSchedule, Window


class SkippedReason(StrEnum):
    """Why a tick begins no reset."""

    DISABLED = "disabled"
    NOT_DUE = "not_due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came of users that a reset looked at; those skipped are among the processed."""

    users_processed: int = 0
    balances_updated: int = 0
    credits_granted: int = 0
    skipped_disabled: int = 0
    skipped_parked: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            users_processed=self.users_processed + other.users_processed,
            balances_updated=self.balances_updated + other.balances_updated,
            credits_granted=self.credits_granted + other.credits_granted,
            skipped_disabled=self.skipped_disabled + other.skipped_disabled,
            skipped_parked=self.skipped_parked + other.skipped_parked,
        )


def reason_to_skip(
    schedule: ResetSchedule, window: Window, begun: str | None
) -> SkippedReason | None:
    """Return why no reset is to begin now; ``begun`` is the newest date that has had one.

    A date later than the window's means that the boundary was moved: the window has had its day.
    """
    if not schedule.enabled:
        return SkippedReason.DISABLED
    if begun is not None and begun >= window.schedule_date.isoformat():
        return SkippedReason.NOT_DUE
    return None
