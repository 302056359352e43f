"""Whatever an operator and the ladder do: nobody who was drawn gets another variant."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from medici.domain.assignments.attributes import Attributes
from medici.domain.assignments.definition import Definition
from medici.domain.assignments.models import Reason
from medici.domain.assignments.rows import AssignmentRow
from medici.domain.assignments.rules import Decision, decide
from medici.domain.assignments.service.assigning import Ask, Told
from medici.kernel.db.database import Database
from tests.domain.assignments.experiments import (
    A_AND_B,
    NOW,
    Laboratory,
    definition,
    experiment,
    ladder,
)

USERS = [f"u_{number}" for number in range(30)]
STEPS = (0, 10, 50, 100)
variant_ids = st.sampled_from(["b", "c", "d"])
weights = st.integers(1, 100)


@dataclass
class Kept:
    """What was first told to a user of a draw, and the row that keeps it."""

    rows: dict[str, AssignmentRow] = field(default_factory=dict)
    drawn: dict[tuple[str, int], str] = field(default_factory=dict)


class AnyLife(RuleBasedStateMachine):
    """An experiment that is changed in every way while users ask in any order."""

    @initialize()
    def begin(self) -> None:
        self.weights = {"control": 50, "b": 50}
        self.changes: dict[str, Any] = {"bucket_version": 0, "phase": 1, "traffic_percent": 100.0}
        self.climbing = ladder(0)
        self.kept = Kept()

    @property
    def setup(self) -> Definition:
        variants = [
            {"variant_id": name, "weight": weight, "config": {}}
            for name, weight in self.weights.items()
        ]
        seed = f"paywall:v{self.changes['bucket_version']}"
        return definition(self.climbing, variants=variants, seed=seed, **self.changes)

    @rule(name=st.sampled_from(["control", "b", "c", "d"]), weight=weights)
    def weigh(self, name: str, weight: int) -> None:
        """Change a weight, or add a variant."""
        self.weights[name] = weight
        self.changes["phase"] += 1

    @rule(name=variant_ids)
    def remove(self, name: str) -> None:
        self.weights.pop(name, None)
        self.changes["phase"] += 1

    @rule(percent=st.integers(0, 100))
    def allot(self, percent: int) -> None:
        self.changes["traffic_percent"] = float(percent)

    @rule(platform=st.sampled_from([[], ["ios"], ["android"]]))
    def target(self, platform: list[str]) -> None:
        self.changes["targeting"] = {"platform": platform}

    @rule(start=st.integers(0, 5))
    def confine(self, start: int) -> None:
        self.changes["namespace"] = {"id": "space", "range": [start / 10, 1]}

    @rule(percent=st.sampled_from(STEPS), winner=variant_ids)
    def climb(self, percent: int, winner: str) -> None:
        self.climbing = ladder(percent, winner)

    @rule()
    def draw_anew(self) -> None:
        self.changes["bucket_version"] += 1
        self.changes["phase"] += 1

    @rule(user=st.sampled_from(USERS), platform=st.sampled_from([None, "ios"]))
    def ask(self, user: str, platform: str | None) -> None:
        before = self.kept.rows.get(user)
        decision = self._decided(user, platform)
        if decision.is_new:
            self.kept.rows[user] = self._row(user, decision)
        elif before is not None:
            assert self.kept.rows[user] == before
        if decision.in_experiment:
            version = self.changes["bucket_version"]
            first = self.kept.drawn.setdefault((user, version), decision.variant.variant_id)
            assert decision.variant.variant_id == first

    @invariant()
    def nobody_moves_but_for_a_reason(self) -> None:
        version = self.changes["bucket_version"]
        for (user, drawn_in), first in self.kept.drawn.items():
            if drawn_in != version:
                continue
            decision = self._decided(user, None)
            if decision.reason is Reason.ROLLOUT:
                percent = self.climbing["rollout_percent"]
                assert decision.rollout_bucket < percent / 100
            elif first in self.weights:
                assert (decision.variant.variant_id, decision.reason) == (first, Reason.STICKY)
            else:
                assert decision.reason is Reason.VARIANT_REMOVED

    @invariant()
    def whoever_stands_on_the_ladder_stays_on_it(self) -> None:
        percent = self.climbing["rollout_percent"]
        higher = replace(
            self.setup, ladder=self.setup.ladder and replace(self.setup.ladder, percent=100)
        )
        for user in USERS if percent else ():
            if self._decided(user, "ios").reason is Reason.ROLLOUT:
                again = decide(
                    higher,
                    user,
                    self.kept.rows.get(user),
                    Attributes(platform="ios"),
                    holdout_percent=0,
                )
                assert again.reason is Reason.ROLLOUT

    def _decided(self, user: str, platform: str | None) -> Decision:
        attributes = Attributes(platform=platform)
        stored = self.kept.rows.get(user)
        return decide(self.setup, user, stored, attributes, holdout_percent=0)

    def _row(self, user: str, decision: Decision) -> AssignmentRow:
        return AssignmentRow(
            experiment_id="paywall",
            user_id=user,
            variant_id=decision.variant.variant_id,
            bucket=decision.bucket,
            rollout_bucket=decision.rollout_bucket,
            phase=self.changes["phase"],
            bucket_version=self.changes["bucket_version"],
            assigned_at=NOW + timedelta(seconds=len(self.kept.rows)),
            first_exposed_at=None,
            enrolled=decision.reason is Reason.HASH,
            censored_at=None,
            multiply_exposed=False,
            reason=decision.reason,
            platform=None,
        )


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


STEPS_OF_LIFE = ("weigh", "allot", "climb", "fall", "remove", "draw_anew")


async def lived(laboratory: Laboratory, step: str, number: int) -> None:
    """Do one thing to the experiment, as operators and automation do."""
    setup = await laboratory.definition()
    if step == "climb":
        await laboratory.step((10, 50, 100)[number % 3])
    elif step == "fall":
        await laboratory.step(0)
    elif step == "draw_anew":
        version = setup.bucket_version + 1
        await laboratory.change(
            bucket_version=version, seed=f"paywall:v{version}", phase=setup.phase + 1
        )
    elif step == "allot":
        await laboratory.change(traffic_percent=number * 10.0)
    else:
        weighted = [{**A_AND_B[0], "weight": number + 1}, A_AND_B[1]]
        await laboratory.change(
            variants=weighted[: 1 if step == "remove" else 2], phase=setup.phase + 1
        )


class TestAnyHistory:
    @settings(
        max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        history=st.lists(st.tuples(st.sampled_from(STEPS_OF_LIFE), st.integers(0, 9)), max_size=8)
    )
    async def test_leaves_every_row_of_a_draw_as_it_was(
        self, database: Database, history: list[tuple[str, int]]
    ) -> None:
        laboratory = Laboratory(database)
        await laboratory.clear()
        await laboratory.store(experiment())
        kept: dict[tuple[str, int], tuple[object, ...]] = {}

        for step, number in [("begin", 0), *history]:
            if step != "begin":
                await lived(laboratory, step, number)
            setup = await laboratory.definition()
            asks = [Ask(user_id=user, definition=setup) for user in USERS]
            told = {
                each.user_id: each for each in await laboratory.ask(asks) if isinstance(each, Told)
            }

            assert told.keys() == set(USERS)
            for user, row in (await laboratory.rows()).items():
                cells = (row.variant_id, row.phase, row.assigned_at, row.enrolled, row.bucket)
                assert kept.setdefault((user, row.bucket_version), cells) == cells
                if told[user].reason is Reason.STICKY:
                    assert told[user].variant_id == row.variant_id
