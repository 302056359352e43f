"""What a sighting means for its user's row."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from medici.domain.assignments.exposures import Refusal, Seeing, Sighting, judge
from medici.domain.assignments.rows import AssignmentRow
from tests.domain.assignments.experiments import NOW, definition, row

HOUR = timedelta(hours=1)


def seen(variant_id: str = "b", at: datetime = NOW, **changes: Any) -> Seeing:
    """Return what it means that ann has seen a variant, of b unless told otherwise."""
    judged = judged_of(variant_id, at, row(assigned_at=NOW - HOUR, **changes))
    assert isinstance(judged, Seeing)
    return judged


def judged_of(variant_id: str, at: datetime, stored: AssignmentRow | None) -> Seeing | Refusal:
    sighting = Sighting(experiment_id="paywall", variant_id=variant_id, occurred_at=at)
    return judge(sighting, definition(), stored, now=NOW)


class TestJudge:
    def test_counts_from_when_it_was(self) -> None:
        found = seen(at=NOW - HOUR / 2)

        assert (found.at, found.counts, found.crosses) == (NOW - HOUR / 2, True, False)

    @pytest.mark.parametrize(
        ("told", "taken"),
        [
            pytest.param(NOW + HOUR, NOW, id="to-come"),
            pytest.param(NOW - 2 * HOUR, NOW - HOUR, id="before-the-assignment"),
        ],
    )
    def test_takes_no_time_that_cannot_be(self, told: datetime, taken: datetime) -> None:
        assert seen(at=told).at == taken

    def test_takes_whoever_has_seen_another_variant_out(self) -> None:
        found = seen("control")

        assert (found.counts, found.crosses) == (False, True)

    def test_means_nothing_for_those_who_are_not_compared(self) -> None:
        for variant_id in ("b", "control"):
            found = seen(variant_id, enrolled=False)
            assert (found.counts, found.crosses) == (False, False)

    def test_means_nothing_once_the_ladder_serves_its_user(self) -> None:
        on_the_ladder = {"censored_at": NOW - HOUR / 2}

        winner, earlier = seen("control", **on_the_ladder), NOW - 2 * HOUR / 3
        assert (winner.counts, winner.crosses) == (False, False)
        assert not seen("b", **on_the_ladder).counts
        assert seen("b", earlier, **on_the_ladder).counts
        assert seen("control", earlier, **on_the_ladder).crosses

    def test_means_nothing_for_a_draw_that_came_after_it(self) -> None:
        before = NOW - 2 * HOUR

        assert not seen("control", before, bucket_version=1).crosses
        assert seen("control", NOW, bucket_version=1).crosses
        assert seen("control", before, bucket_version=0).crosses

    def test_is_refused_where_it_cannot_be(self) -> None:
        sighting = Sighting(experiment_id="other", variant_id="b", occurred_at=NOW)

        assert judge(sighting, None, row(), now=NOW) is Refusal.EXPERIMENT_NOT_FOUND
        assert judged_of("b", NOW, None) is Refusal.NOT_ASSIGNED
        assert judged_of("c", NOW, row()) is Refusal.VARIANT_NOT_FOUND

    def test_is_taken_of_a_variant_that_was_removed(self) -> None:
        assert isinstance(judged_of("c", NOW, row(variant_id="c")), Seeing)
