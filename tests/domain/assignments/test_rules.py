"""Who gets what, and why: the first reason that applies holds."""

from datetime import UTC, datetime
from typing import Any

import pytest

from medici.domain.assignments.attributes import Attributes
from medici.domain.assignments.bucketing import bucket
from medici.domain.assignments.models import Reason
from medici.domain.assignments.rows import AssignmentRow
from medici.domain.assignments.rules import Decision, decide
from tests.domain.assignments.experiments import definition, ladder, row

ANN = (bucket("paywall", "ann"), bucket("paywall:rollout", "ann"))  # 0.0821 and 0.8439


def decided(
    stored: AssignmentRow | None = None,
    *,
    runtime: dict[str, Any] | None = None,
    holdout_percent: float = 0,
    attributes: Attributes = Attributes(),  # noqa: B008 - it is frozen
    **changes: Any,
) -> Decision:
    """Decide about ann."""
    return decide(
        definition(runtime, **changes),
        "ann",
        stored,
        attributes,
        holdout_percent=holdout_percent,
    )


def told(decision: Decision) -> tuple[str, Reason, bool, bool]:
    """Return variant, reason, whether ann takes part, and whether that is new."""
    return (
        decision.variant.variant_id,
        decision.reason,
        decision.in_experiment,
        decision.is_new,
    )


EVERYTHING: dict[str, Any] = {
    "overrides": {"ann": "b"},
    "targeting": {"platform": ["ios"]},
    "namespace": {"id": "space", "range": [0, 0]},
    "traffic_percent": 0.0,
}


class TestDecide:
    def test_hashes_a_newcomer(self) -> None:
        decision = decided()

        assert told(decision) == ("control", Reason.HASH, True, True)
        assert (decision.bucket, decision.rollout_bucket) == ANN

    def test_keeps_whoever_was_drawn(self) -> None:
        decision = decided(row())

        assert told(decision) == ("b", Reason.STICKY, True, False)
        assert (decision.bucket, decision.rollout_bucket) == (0.75, 0.5)

    def test_tries_the_reasons_in_their_order(self) -> None:
        climbing = ladder(100)
        everything = dict(EVERYTHING)

        seen = [decided(runtime=climbing, holdout_percent=100, **everything).reason]
        everything.pop("overrides")
        seen.append(decided(runtime=climbing, holdout_percent=100, **everything).reason)
        seen.append(decided(runtime=climbing, **everything).reason)
        everything.pop("targeting")
        seen.append(decided(runtime=climbing, **everything).reason)
        seen.append(decided(**everything).reason)
        everything.pop("namespace")
        seen.append(decided(**everything).reason)
        everything.pop("traffic_percent")
        seen.append(decided(**everything).reason)

        assert seen == [
            Reason.OVERRIDE,
            Reason.HOLDOUT,
            Reason.NOT_TARGETED,
            Reason.ROLLOUT,
            Reason.NAMESPACE_EXCLUDED,
            Reason.TRAFFIC_EXCLUDED,
            Reason.HASH,
        ]

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"holdout_percent": 100}, id="held-out"),
            pytest.param({"targeting": {"platform": ["ios"]}}, id="not-meant"),
            pytest.param({"namespace": {"id": "space", "range": [0, 0]}}, id="other-namespace"),
            pytest.param({"traffic_percent": 0.0}, id="no-traffic"),
        ],
    )
    def test_leaves_out_newcomers_alone(self, changes: dict[str, Any]) -> None:
        newcomer = decided(**changes)

        assert told(newcomer)[0] == "control"
        assert not newcomer.in_experiment
        assert not newcomer.is_new
        assert not newcomer.is_served
        assert told(decided(row(), **changes)) == ("b", Reason.STICKY, True, False)

    def test_takes_those_in_their_part_of_a_namespace(self) -> None:
        drawn = bucket("space", "ann")

        inside = decided(namespace={"id": "space", "range": [drawn, 1]})
        outside = decided(namespace={"id": "space", "range": [0, drawn]})

        assert (inside.reason, outside.reason) == (Reason.HASH, Reason.NAMESPACE_EXCLUDED)

    def test_holds_out_a_share_of_all(self) -> None:
        drawn = bucket("holdout", "ann")

        assert decided(holdout_percent=100 * drawn).reason is Reason.HASH
        assert decided(holdout_percent=100 * drawn + 0.01).reason is Reason.HOLDOUT

    def test_forces_a_variant_for_those_named(self) -> None:
        assert told(decided(row(variant_id="control"), overrides={"ann": "b"})) == (
            "b",
            Reason.OVERRIDE,
            False,
            False,
        )

    def test_forces_no_variant_that_is_gone(self) -> None:
        assert decided(overrides={"ann": "c"}).reason is Reason.HASH

    def test_gives_control_to_those_whose_variant_is_gone(self) -> None:
        assert told(decided(row(variant_id="c"))) == (
            "control",
            Reason.VARIANT_REMOVED,
            False,
            False,
        )

    def test_gives_the_winner_to_those_on_the_ladder(self) -> None:
        below, above = row(variant_id="control", rollout_bucket=0.0999), row(rollout_bucket=0.1)

        assert told(decided(below, runtime=ladder(10))) == ("b", Reason.ROLLOUT, False, False)
        assert decided(above, runtime=ladder(10)).reason is Reason.STICKY

    def test_keeps_a_newcomer_on_the_ladder_out_of_the_comparison(self) -> None:
        assert told(decided(runtime=ladder(100))) == ("b", Reason.ROLLOUT, False, True)

    def test_hashes_those_who_were_on_a_ladder_that_is_gone(self) -> None:
        served = row(variant_id="b", enrolled=False, reason=Reason.ROLLOUT, bucket=ANN[0])

        assert told(decided(served)) == ("control", Reason.HASH, False, False)
        assert decided(served, traffic_percent=0.0).reason is Reason.TRAFFIC_EXCLUDED

    def test_climbs_no_ladder_towards_a_variant_that_is_gone(self) -> None:
        assert decided(runtime=ladder(100, "c")).reason is Reason.HASH

    def test_draws_anew_for_a_new_version(self) -> None:
        decision = decided(row(), bucket_version=1, seed="paywall:v1")

        assert decision.reason is Reason.HASH
        assert decision.is_new
        assert decision.bucket == bucket("paywall:v1", "ann")

    def test_believes_a_row_of_a_newer_version(self) -> None:
        assert told(decided(row(bucket_version=1))) == ("b", Reason.STICKY, True, False)

    def test_exposes_once_and_nobody_who_is_compared_no_longer(self) -> None:
        at = datetime(2026, 11, 1, tzinfo=UTC)

        assert decided().can_be_exposed
        assert decided(row()).can_be_exposed
        assert not decided(row(first_exposed_at=at)).can_be_exposed
        assert not decided(row(censored_at=at)).can_be_exposed
        assert not decided(row(variant_id="c")).can_be_exposed
        assert not decided(row(), runtime=ladder(100)).can_be_exposed
