"""Experiments are made, changed and resumed."""

from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.changes import CHANGES
from medici.domain.assignments.definition import Namespace
from medici.domain.assignments.models import AnalysisMode, ExperimentStatus, RolloutStatus
from medici.domain.experiments import reading
from medici.domain.experiments.errors import VariantIsRolledOut
from medici.domain.experiments.form import Audience, SetUp, set_up_of
from medici.domain.plans.models import Variable
from medici.kernel.db.database import Database
from tests.domain.experiments.set_ups import (
    AFTER,
    CONTROL,
    LATE,
    LATER,
    NOW,
    PAYWALL,
    done,
    set_up,
    told,
    variant,
)

RICH = replace(
    PAYWALL,
    description="When is the paywall shown?",
    traffic_percent=40.0,
    audience=Audience(platform=("ios",), country=("TR", "DE"), new_users_only=True),
    namespace=Namespace(id="paywalls", start=0, end=0.5),
    overrides={"qa": "after"},
    analysis_mode=AnalysisMode.GROUP_SEQUENTIAL,
    planned_sample_size=5_000,
)
PAUSED = replace(PAYWALL, is_active=False)


async def tuned(session: AsyncSession, key: str, value: float) -> None:
    session.add(Variable(key=key, value=value, description="", updated_at=NOW))
    await session.flush()


class TestPut:
    async def test_starts_an_experiment(self, session: AsyncSession) -> None:
        made = await set_up(session)

        one, runtime = made.experiment, made.runtime
        assert (one.status, one.phase, one.revision) == (ExperimentStatus.RUNNING, 1, 1)
        assert (one.phase_started_at, one.sequential_tuning_n) == (NOW, 2000)
        assert (one.seed, one.bucket_version) == ("paywall", 0)
        assert (one.control_variant_id, one.traffic_percent) == ("control", 100)
        assert (runtime.violation_streak, runtime.rollout_percent) == (0, 0)
        assert runtime.rollout_status is RolloutStatus.HOLDING
        assert made.warnings == ()
        assert await done(session) == ["experiment_upserted", "experiment_phase_started"]

    async def test_keeps_a_draft_for_later(self, session: AsyncSession) -> None:
        made = await set_up(session, PAUSED)

        assert made.experiment.status is ExperimentStatus.DRAFT
        assert made.experiment.phase_started_at is None
        assert made.experiment.sequential_tuning_n is None
        assert await done(session) == ["experiment_upserted"]

    async def test_keeps_all_that_is_wanted(self, session: AsyncSession) -> None:
        await set_up(session, RICH)
        session.expunge_all()

        found, _ = await reading.experiment(session, "paywall")

        assert set_up_of(found) == replace(RICH, control_variant_id="control")

    async def test_takes_the_first_for_the_control_where_none_is_called_so(
        self, session: AsyncSession
    ) -> None:
        made = await set_up(session, replace(PAYWALL, variants=(variant("b"), variant("a"))))

        assert made.experiment.control_variant_id == "b"

    async def test_tells_the_copies_after_the_commit(self, database: Database) -> None:
        async with database.transaction() as session:
            await set_up(session)
            before = CHANGES.count
        assert CHANGES.count == before + 1


class TestAChange:
    async def test_that_harms_no_comparison_stays_in_the_phase(self, session: AsyncSession) -> None:
        await set_up(session)

        made = await set_up(session, replace(PAYWALL, name="Timing", guardrails={}), act=LATE)

        one = made.experiment
        assert (one.name, one.guardrails, one.revision) == ("Timing", {}, 2)
        assert (one.phase, one.phase_started_at, one.updated_at) == (1, NOW, LATER)
        assert made.warnings == ()
        assert (await told(session, "experiment_upserted")) == {
            "revision": 2,
            "phase": 1,
            "bucket_version": 0,
            "before": {"name": "Paywall timing", "guardrails": {"render_success_rate_min": 85}},
            "after": {"name": "Timing", "guardrails": {"render_success_rate_min": None}},
        }

    async def test_that_harms_it_begins_another_phase(self, session: AsyncSession) -> None:
        await set_up(session)
        await tuned(session, "experiment_sequential_tuning_n", 500)

        heavier = replace(PAYWALL, variants=(replace(CONTROL, weight=90), AFTER))
        made = await set_up(session, heavier, act=LATE)

        one = made.experiment
        assert (one.phase, one.phase_started_at, one.sequential_tuning_n) == (2, LATER, 500)
        assert (one.seed, one.bucket_version) == ("paywall", 0)
        assert made.warnings == (
            "Phase 2 begins because the weights changed: users who took part before keep their"
            " variant but are not compared; only users who come from now on are.",
        )
        started = await told(session, "experiment_phase_started")
        assert (started["phase"], started["because"]) == (2, ["the weights changed"])

    async def test_of_the_tuning_waits_for_the_next_phase(self, session: AsyncSession) -> None:
        await set_up(session)
        await tuned(session, "experiment_sequential_tuning_n", 500)

        made = await set_up(session, replace(PAYWALL, name="Timing"))

        assert made.experiment.sequential_tuning_n == 2000

    async def test_that_removes_a_variant_says_who_is_meant(self, session: AsyncSession) -> None:
        await set_up(session)

        made = await set_up(session, replace(PAYWALL, variants=(CONTROL,)))

        assert made.warnings == (
            "Whoever had after gets the control variant from now on and is not compared.",
            "Phase 2 begins because a variant was removed: users who took part before keep their"
            " variant but are not compared; only users who come from now on are.",
            "There is one variant, so figures and guardrails are shown and nothing is compared.",
        )

    async def test_while_paused_waits_for_the_resumption(self, session: AsyncSession) -> None:
        await set_up(session)
        fewer = replace(PAYWALL, traffic_percent=10)
        paused = await set_up(session, replace(fewer, is_active=False))
        resting = (await set_up(session, replace(fewer, is_active=False))).experiment
        assert paused.warnings[0].startswith("Phase 2 will begin because fewer users take part:")
        assert (resting.phase, resting.phase_started_at) == (2, None)

        resumed = (await set_up(session, fewer, act=LATE)).experiment
        assert (resumed.phase, resumed.phase_started_at) == (2, LATER)

    async def test_draws_everybody_anew_when_told_so(self, session: AsyncSession) -> None:
        first = await set_up(session)
        first.runtime.rollout_status = RolloutStatus.ROLLING_OUT
        first.runtime.rollout_percent, first.runtime.winner_variant_id = 10, "after"

        made = await set_up(session, rebucket=True, act=LATE)

        one, runtime = made.experiment, made.runtime
        assert (one.seed, one.bucket_version, one.phase) == ("paywall:v1", 1, 2)
        assert (runtime.rollout_percent, runtime.winner_variant_id) == (0, None)
        assert runtime.rollout_status is RolloutStatus.HOLDING
        assert runtime.rollout_history == [
            {
                "at": "2026-11-24T13:00:00Z",
                "from_percent": 10,
                "to_percent": 0,
                "winner_variant_id": "after",
                "actor": "eve",
                "reason": "a test",
            }
        ]
        assert made.warnings == (
            "Everybody is drawn anew, and the ladder begins at 0 %.",
            "Phase 2 begins: what was measured so far is not compared.",
        )


class TestRuntime:
    async def test_is_left_alone(self, session: AsyncSession) -> None:
        runtime = (await set_up(session)).runtime
        runtime.violation_streak = 1
        runtime.rollout_percent, runtime.winner_variant_id = 10, "after"
        runtime.rollout_status = RolloutStatus.ROLLING_OUT

        await set_up(session, replace(PAYWALL, traffic_percent=10))

        _, found = await reading.experiment(session, "paywall")
        assert (found.violation_streak, found.rollout_percent) == (1, 10)
        assert found.rollout_status is RolloutStatus.ROLLING_OUT

    async def test_forgets_its_streak_as_the_experiment_is_resumed(
        self, session: AsyncSession
    ) -> None:
        first = await set_up(session)
        first.experiment.status = ExperimentStatus.PAUSED
        first.runtime.violation_streak, first.runtime.guardrail_pause = 2, {"why": "slow"}
        first.runtime.rollout_percent, first.runtime.winner_variant_id = 50, "after"
        first.runtime.rollout_status = RolloutStatus.PAUSED

        runtime = (await set_up(session)).runtime

        assert (runtime.violation_streak, runtime.guardrail_pause) == (0, {"why": "slow"})
        assert (runtime.rollout_status, runtime.rollout_percent) == (RolloutStatus.ROLLING_OUT, 50)
        assert (await done(session))[-2:] == ["experiment_upserted", "experiment_resumed"]

    @pytest.mark.parametrize(
        ("percent", "winner", "status"),
        [(0, None, RolloutStatus.HOLDING), (0, "after", RolloutStatus.ROLLED_BACK)],
    )
    async def test_stays_down_as_the_experiment_is_resumed(
        self, session: AsyncSession, percent: int, winner: str | None, status: RolloutStatus
    ) -> None:
        first = await set_up(session)
        first.experiment.status = ExperimentStatus.PAUSED
        first.runtime.rollout_percent, first.runtime.winner_variant_id = percent, winner
        first.runtime.rollout_status = RolloutStatus.PAUSED

        assert (await set_up(session)).runtime.rollout_status is status

    @pytest.mark.parametrize(
        ("percent", "sentence"),
        [
            (10, "10 % of all users get after by the ladder and are not compared."),
            (
                100,
                "Everybody gets after, so nobody is compared; to test again, draw everybody anew.",
            ),
        ],
    )
    async def test_is_told_of_where_a_phase_begins(
        self, session: AsyncSession, percent: int, sentence: str
    ) -> None:
        runtime = (await set_up(session)).runtime
        runtime.rollout_percent, runtime.winner_variant_id = percent, "after"

        made = await set_up(session, replace(PAYWALL, traffic_percent=10))

        assert made.warnings[-1] == sentence

    async def test_keeps_the_variant_that_is_handed_out(self, session: AsyncSession) -> None:
        runtime = (await set_up(session)).runtime
        runtime.rollout_percent, runtime.winner_variant_id = 10, "after"
        without = replace(PAYWALL, variants=(CONTROL,))

        with pytest.raises(VariantIsRolledOut):
            await set_up(session, without)

        assert (await set_up(session, without, rebucket=True)).runtime.rollout_percent == 0


class TestWarnings:
    @pytest.mark.parametrize(
        ("wanted", "sentence"),
        [
            (
                replace(PAYWALL, analysis_mode=AnalysisMode.FIXED),
                "Without planned_sample_size the fixed test decides at every look, which finds"
                " winners that are none; plan a size, or use the sequential mode.",
            ),
            (
                replace(PAYWALL, planned_sample_size=150),
                "planned_sample_size is below 200, the least that a recommendation needs.",
            ),
            (
                replace(PAYWALL, primary_metric="p95_latency_ms"),
                "p95_latency_ms is shown but not tested, so no variant can win by it.",
            ),
            (
                replace(PAYWALL, variants=(CONTROL, variant("after", 0))),
                "after has weight 0: nobody new gets it.",
            ),
            (replace(PAYWALL, traffic_percent=0), "Nobody takes part: traffic_percent is 0."),
        ],
    )
    async def test_are_sentences(self, session: AsyncSession, wanted: SetUp, sentence: str) -> None:
        assert (await set_up(session, wanted)).warnings == (sentence,)

    async def test_tell_of_variables_that_make_no_sense(self, session: AsyncSession) -> None:
        await tuned(session, "experiment_significance_alpha", 7)

        assert (await set_up(session)).warnings == (
            "variable experiment_significance_alpha makes no sense as it is stored; 0.05 holds",
        )
