"""Telling users their variants, many at once, and keeping what was told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from medici.domain.assignments.attributes import UNKNOWN, Attributes
from medici.domain.assignments.bucketing import HASH_VERSION
from medici.domain.assignments.definition import Definition
from medici.domain.assignments.errors import SetupChanged
from medici.domain.assignments.models import ExposureMode, Reason
from medici.domain.assignments.rows import (
    AssignmentRow,
    Key,
    NewRow,
    Seen,
    rows_of,
    write_new,
    write_seen,
)
from medici.domain.assignments.rules import Decision, decide
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.errors import MediciError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A user who wants to know their variant; with ``expose`` they are about to see it."""

    user_id: str
    definition: Definition
    attributes: Attributes = UNKNOWN
    expose: bool = True

    @property
    def key(self) -> Key:
        return self.definition.experiment_id, self.user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a user gets and why. ``from_cache``: a stored row answered."""

    experiment_id: str
    user_id: str
    variant_id: str
    config: Mapping[str, object]
    assigned_at: datetime
    from_cache: bool
    in_experiment: bool
    reason: Reason
    bucket: float
    phase: int
    bucket_version: int
    hash_version: int = HASH_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What somebody gets who asked; unless it is settled there is something to keep of it."""

    ask: Ask
    decision: Decision

    @property
    def is_settled(self) -> bool:
        return not self.decision.is_new and not self.is_seen_first

    @property
    def is_seen_first(self) -> bool:
        """Tell whether the user's outcomes begin to count with this answer."""
        shown = self.ask.expose and self.ask.definition.exposure_mode is ExposureMode.ASSIGNMENT
        return shown and self.decision.can_be_exposed

    def told(self, now: datetime) -> Told:
        decision, row, definition = self.decision, self.decision.row, self.ask.definition
        return Told(
            experiment_id=definition.experiment_id,
            user_id=self.ask.user_id,
            variant_id=decision.variant.variant_id,
            config=decision.variant.config,
            assigned_at=now if row is None else row.assigned_at,
            from_cache=decision.from_row,
            in_experiment=decision.in_experiment,
            reason=decision.reason,
            bucket=decision.bucket,
            phase=definition.phase if row is None else row.phase,
            bucket_version=definition.bucket_version if row is None else row.bucket_version,
        )

    def new_row(self, now: datetime, *, exposed: bool) -> NewRow:
        decision, definition = self.decision, self.ask.definition
        row = AssignmentRow(
            experiment_id=definition.experiment_id,
            user_id=self.ask.user_id,
            variant_id=decision.variant.variant_id,
            bucket=decision.bucket,
            rollout_bucket=decision.rollout_bucket,
            phase=definition.phase,
            bucket_version=definition.bucket_version,
            assigned_at=now,
            first_exposed_at=now if exposed else None,
            enrolled=decision.reason is Reason.HASH,
            censored_at=None,
            multiply_exposed=False,
            reason=decision.reason,
            platform=self.ask.attributes.platform,
        )
        return NewRow(
            row=row, revision=definition.revision, rollout_percent=definition.rollout_percent
        )


async def assign_many(
    driver: Driver, asks: Sequence[Ask], *, holdout_percent: float, now: datetime
) -> Sequence[Told | MediciError]:
    """Tell each who asks their variant in a running experiment, and keep it."""
    decided = await decide_many(driver, asks, holdout_percent=holdout_percent)
    return await keep(driver, decided, holdout_percent=holdout_percent, now=now)


async def decide_many(
    driver: Driver, asks: Sequence[Ask], *, holdout_percent: float
) -> Sequence[Decided]:
    """Decide what each gets who asks, by one read."""
    stored = await _rows(driver, asks)
    return [_decide(ask, stored, holdout_percent) for ask in asks]


async def decide_served(
    driver: Driver, asks: Sequence[Ask], *, limit: int, holdout_percent: float
) -> Sequence[Decided]:
    """Decide the same for the first ``limit`` that get a variant, and are not left out."""
    stored = await _rows(driver, asks)
    decided = (_decide(ask, stored, holdout_percent) for ask in asks)
    return list(islice((each for each in decided if each.decision.is_served), limit))


async def keep(
    driver: Driver, decided: Sequence[Decided], *, holdout_percent: float, now: datetime
) -> Sequence[Told | MediciError]:
    """Write down what was decided, by one insert, and tell it.

    Who was forestalled, in another process too, is told what the other has kept. The answer is
    ``SetupChanged`` where a definition is older than what is stored of it.
    """
    written = await write_new(driver, _new_rows(decided, now))
    await _note_seen(driver, decided, now)
    final = list(decided)
    late = [place for place, each in enumerate(decided) if not _came_first(each, written)]
    again = await decide_many(
        driver, [decided[place].ask for place in late], holdout_percent=holdout_percent
    )
    await _note_seen(driver, again, now)
    for place, each in zip(late, again, strict=True):
        final[place] = each
    lost = {place for place in late if final[place].decision.is_new}
    return [SetupChanged() if place in lost else each.told(now) for place, each in enumerate(final)]


def _decide(ask: Ask, stored: Mapping[Key, AssignmentRow], holdout_percent: float) -> Decided:
    row = stored.get(ask.key)
    decision = decide(
        ask.definition, ask.user_id, row, ask.attributes, holdout_percent=holdout_percent
    )
    return Decided(ask=ask, decision=decision)


async def _rows(driver: Driver, asks: Sequence[Ask]) -> Mapping[Key, AssignmentRow]:
    if not asks:
        return {}
    return await rows_of(
        driver, {ask.definition.experiment_id for ask in asks}, {ask.user_id for ask in asks}
    )


def _came_first(each: Decided, written: set[Key]) -> bool:
    """Tell whether what was decided is kept now; of two who ask the same, the first comes first."""
    if not each.decision.is_new:
        return True
    if each.ask.key not in written:
        return False
    written.remove(each.ask.key)
    return True


def _new_rows(decided: Sequence[Decided], now: datetime) -> list[NewRow]:
    new = [each for each in decided if each.decision.is_new]
    exposed = {each.ask.key for each in new if each.is_seen_first}
    first = {each.ask.key: each for each in reversed(new)}
    return [each.new_row(now, exposed=key in exposed) for key, each in first.items()]


async def _note_seen(driver: Driver, decided: Sequence[Decided], now: datetime) -> None:
    seen = {
        each.decision.row.key: Seen(row=each.decision.row, first_exposed_at=now)
        for each in decided
        if each.decision.row is not None and each.is_seen_first
    }
    await write_seen(driver, list(seen.values()))
