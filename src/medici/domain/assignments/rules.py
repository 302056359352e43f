"""Which variant a user gets, and why: a function of the set-up, the user and their stored row."""

from dataclasses import dataclass

from medici.domain.assignments.attributes import Attributes, meets
from medici.domain.assignments.bucketing import bucket, chosen
from medici.domain.assignments.definition import Definition, Variant
from medici.domain.assignments.models import Reason
from medici.domain.assignments.rows import AssignmentRow

HOLDOUT_SEED = "holdout"
SERVED = frozenset({Reason.OVERRIDE, Reason.ROLLOUT, Reason.STICKY, Reason.HASH})
TO_BE_KEPT = frozenset({Reason.ROLLOUT, Reason.HASH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a user gets. ``row`` is their stored row, unless it is of an older draw."""

    definition: Definition
    user_id: str
    variant: Variant
    reason: Reason
    bucket: float
    row: AssignmentRow | None

    @property
    def rollout_bucket(self) -> float:
        return _rollout_bucket(self.definition, self.user_id, self.row)

    @property
    def is_new(self) -> bool:
        """Tell whether it has to be written down."""
        return self.row is None and self.reason in TO_BE_KEPT

    @property
    def from_row(self) -> bool:
        """Tell whether the stored row answers, rather than hash or set-up alone."""
        return self.row is not None and self.reason in {
            Reason.STICKY,
            Reason.ROLLOUT,
            Reason.VARIANT_REMOVED,
        }

    @property
    def in_experiment(self) -> bool:
        """Tell whether the user takes part: gets what they were drawn for, to be compared."""
        if self.reason is Reason.HASH:
            return self.row is None  # who was served a winner before stays out
        return self.reason is Reason.STICKY

    @property
    def is_served(self) -> bool:
        """Tell whether the user gets a variant of their own, not control for being left out."""
        return self.reason in SERVED

    @property
    def can_be_exposed(self) -> bool:
        """Tell whether it matters when the user first saw the variant, and nobody knows yet."""
        unseen = self.row is None or (
            self.row.first_exposed_at is None and self.row.censored_at is None
        )
        return self.in_experiment and unseen


def decide(
    definition: Definition,
    user_id: str,
    stored: AssignmentRow | None,
    attributes: Attributes,
    *,
    holdout_percent: float,
) -> Decision:
    """Decide what a user gets in a running experiment.

    A stored row of an older draw is as good as none; one of a newer draw tells that the set-up at
    hand has grown old, and counts.
    """
    row = stored if stored and stored.bucket_version >= definition.bucket_version else None
    drawn = row.bucket if row else bucket(definition.seed, user_id)
    forced = _forced(definition, user_id, row, attributes, holdout_percent)
    variant, reason = forced or _drawn(definition, user_id, row, drawn)
    return Decision(
        definition=definition,
        user_id=user_id,
        variant=variant,
        reason=reason,
        bucket=drawn,
        row=row,
    )


def _forced(
    definition: Definition,
    user_id: str,
    row: AssignmentRow | None,
    attributes: Attributes,
    holdout_percent: float,
) -> tuple[Variant, Reason] | None:
    """Return what a user gets whatever they are drawn for, if there is such a thing."""
    if override := definition.variant(definition.overrides.get(user_id)):
        return override, Reason.OVERRIDE
    if row is None and _is_held_out(user_id, holdout_percent):
        return definition.control, Reason.HOLDOUT
    if row is None and not meets(definition.targeting, attributes):
        return definition.control, Reason.NOT_TARGETED
    if winner := _winner(definition, user_id, row):
        return winner, Reason.ROLLOUT
    return None


def _is_held_out(user_id: str, holdout_percent: float) -> bool:
    return holdout_percent > 0 and bucket(HOLDOUT_SEED, user_id) < holdout_percent / 100


def _winner(definition: Definition, user_id: str, row: AssignmentRow | None) -> Variant | None:
    ladder = definition.ladder
    if ladder is None or _rollout_bucket(definition, user_id, row) >= ladder.percent / 100:
        return None
    return definition.variant(ladder.winner_variant_id)


def _rollout_bucket(definition: Definition, user_id: str, row: AssignmentRow | None) -> float:
    return row.rollout_bucket if row else bucket(f"{definition.seed}:rollout", user_id)


def _drawn(
    definition: Definition, user_id: str, row: AssignmentRow | None, drawn: float
) -> tuple[Variant, Reason]:
    """Return what a user was drawn for once, or is now."""
    if row is not None and row.enrolled:
        kept = definition.variant(row.variant_id)
        return (kept, Reason.STICKY) if kept else (definition.control, Reason.VARIANT_REMOVED)
    space = definition.namespace
    if space and not space.start <= bucket(space.id, user_id) < space.end:
        return definition.control, Reason.NAMESPACE_EXCLUDED
    place = chosen(definition.ranges, drawn)
    if place is None:
        return definition.control, Reason.TRAFFIC_EXCLUDED
    return definition.variants[place], Reason.HASH
