"""What it means that a user says to have seen a variant."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from medici.domain.assignments.definition import Definition
from medici.domain.assignments.rows import AssignmentRow


class Refusal(StrEnum):
    """Why an exposure is not taken."""

    EXPERIMENT_NOT_FOUND = "experiment_not_found"
    VARIANT_NOT_FOUND = "variant_not_found"
    NOT_ASSIGNED = "not_assigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """That a variant was shown, as the client tells it."""

    experiment_id: str
    variant_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeing:
    """A sighting by a user who has a row. ``at`` is when it can have been."""

    row: AssignmentRow
    variant_id: str
    at: datetime
    is_earlier: bool  # than the row, going by the client's word

    @property
    def counts(self) -> bool:
        """Tell whether the user's outcomes count from then on at the latest."""
        return self._is_compared and self.variant_id == self.row.variant_id

    @property
    def crosses(self) -> bool:
        """Tell whether the user has seen two variants, and so cannot be compared.

        What was seen before everybody was drawn anew tells nothing about the new draw.
        """
        drawn_before = self.is_earlier and self.row.bucket_version > 0
        return self._is_compared and self.variant_id != self.row.variant_id and not drawn_before

    @property
    def _is_compared(self) -> bool:
        # Whoever has come onto the ladder is shown the winner.
        censored_at = self.row.censored_at
        return self.row.enrolled and (censored_at is None or self.at < censored_at)


def judge(
    sighting: Sighting,
    definition: Definition | None,
    row: AssignmentRow | None,
    *,
    now: datetime,
) -> Seeing | Refusal:
    """Return what a sighting tells of the user's row; it cannot be older than that, nor to come."""
    if definition is None:
        return Refusal.EXPERIMENT_NOT_FOUND
    if row is None:
        return Refusal.NOT_ASSIGNED
    known = sighting.variant_id == row.variant_id or definition.variant(sighting.variant_id)
    if not known:
        return Refusal.VARIANT_NOT_FOUND
    return Seeing(
        row=row,
        variant_id=sighting.variant_id,
        at=max(min(sighting.occurred_at, now), row.assigned_at),
        is_earlier=sighting.occurred_at < row.assigned_at,
    )
