"""What cannot be set up, and who comes too late with it."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.definition import Namespace
from medici.domain.assignments.models import AnalysisMode, Experiment, ExperimentStatus
from medici.domain.experiments import reading
from medici.domain.experiments.errors import RevisionConflict, SetUpRefused
from medici.domain.experiments.form import SetUp
from medici.domain.experiments.guardrails.errors import UnknownGuardrail
from medici.domain.experiments.metrics.errors import UnknownPrimaryMetric
from medici.domain.experiments.service.setting_up import put
from medici.domain.routing.service import install_first_version
from medici.domain.routing.settings import initial_settings
from medici.kernel.db.database import Database
from tests.domain.experiments.set_ups import CONTROL, EVE, NOW, PAYWALL, done, set_up, variant

REFUSED = {
    "unsupported_assignment_unit": replace(PAYWALL, assignment_unit="device_id"),
    "primary_metric_required": replace(PAYWALL, primary_metric=""),
    "at_least_one_variant_required": replace(PAYWALL, variants=()),
    "variant_id_required": replace(PAYWALL, variants=(CONTROL, variant(""))),
    "duplicate_variant_id": replace(PAYWALL, variants=(CONTROL, CONTROL)),
    "variant_weight_total_must_be_positive": replace(PAYWALL, variants=(variant("a", 0),)),
    "control_variant_unknown": replace(PAYWALL, control_variant_id="nobody"),
    "override_variant_unknown": replace(PAYWALL, overrides={"qa": "nobody"}),
    "planned_sample_size_required": replace(PAYWALL, analysis_mode=AnalysisMode.GROUP_SEQUENTIAL),
    "namespace_range_invalid": replace(PAYWALL, namespace=Namespace(id="n", start=0.5, end=0.5)),
    "namespace_id_reserved": replace(PAYWALL, namespace=Namespace(id="paywall", start=0, end=0.5)),
}


class TestRefusals:
    @pytest.mark.parametrize(("code", "wanted"), REFUSED.items(), ids=list(REFUSED))
    async def test_of_what_cannot_be(self, session: AsyncSession, code: str, wanted: SetUp) -> None:
        with pytest.raises(SetUpRefused) as refused:
            await set_up(session, wanted)

        assert refused.value.code == code
        assert await session.scalar(select(func.count()).select_from(Experiment)) == 0

    @pytest.mark.parametrize("range_", [(-0.1, 0.5), (0, 1.1), (0.6, 0.4)])
    async def test_of_ranges(self, session: AsyncSession, range_: tuple[float, float]) -> None:
        start, end = range_
        wanted = replace(PAYWALL, namespace=Namespace(id="n", start=start, end=end))

        with pytest.raises(SetUpRefused, match="a range goes up"):
            await set_up(session, wanted)

    async def test_of_a_metric_that_is_none(self, session: AsyncSession) -> None:
        with pytest.raises(UnknownPrimaryMetric):
            await set_up(session, replace(PAYWALL, primary_metric="happiness"))

    async def test_of_a_guardrail_that_is_none(self, session: AsyncSession) -> None:
        with pytest.raises(UnknownGuardrail):
            await set_up(session, replace(PAYWALL, guardrails={"happiness_min": 1}))

    @pytest.mark.parametrize(
        "reserved", ["templates", "audit", "guardrails", "rollout", "automation", "power"]
    )
    async def test_of_ids_that_mean_something_else(
        self, session: AsyncSession, reserved: str
    ) -> None:
        with pytest.raises(SetUpRefused) as refused:
            await put(session, reserved, PAYWALL, act=EVE)

        assert refused.value.code == "reserved_experiment_id"

    async def test_of_routes_that_could_not_be_used(self, session: AsyncSession) -> None:
        await install_first_version(session, initial_settings(fal=True, openai=True), now=NOW)
        routed = variant("b", routing={"default_provider": "nobody"})
        fine = variant("b", routing={"default_provider": "openai"})
        registered = {"fal", "openai"}

        with pytest.raises(SetUpRefused) as refused:
            await set_up(session, replace(PAYWALL, variants=(CONTROL, routed)))
        assert refused.value.code == "invalid_routing_treatment"

        wanted = replace(PAYWALL, variants=(CONTROL, fine))
        made = await set_up(session, wanted, registered=registered)
        assert made.experiment.variants[1]["config"] == {"routing": {"default_provider": "openai"}}


class TestRevision:
    async def test_of_another_state_is_refused(self, session: AsyncSession) -> None:
        await set_up(session, revision=0)
        await set_up(session, revision=1)

        with pytest.raises(RevisionConflict) as refused:
            await set_up(session, revision=1)

        assert refused.value.revision == 2

    async def test_zero_makes_and_never_changes(self, session: AsyncSession) -> None:
        await set_up(session)

        with pytest.raises(RevisionConflict):
            await set_up(session, revision=0)

    async def test_lets_one_of_two_through(self, database: Database) -> None:
        async def change(name: str) -> bool:
            try:
                async with database.transaction() as session:
                    await set_up(session, replace(PAYWALL, name=name), revision=1)
            except RevisionConflict:
                return False
            return True

        async with database.transaction() as session:
            await set_up(session)

        assert sorted(await asyncio.gather(change("a"), change("b"))) == [False, True]

    async def test_two_who_make_one_make_it_once(self, database: Database) -> None:
        async def make() -> int:
            async with database.transaction() as session:
                return (await set_up(session)).experiment.revision

        assert sorted(await asyncio.gather(make(), make())) == [1, 2]

    async def test_waits_for_automation(self, database: Database) -> None:
        """Whoever holds the rows finishes first, and the change starts from what was written."""
        async with database.transaction() as session:
            await set_up(session)
        locked = asyncio.Event()

        async def pause() -> None:
            async with database.transaction() as session:
                one, runtime = await reading.locked(session, "paywall")
                locked.set()
                one.status, runtime.violation_streak = ExperimentStatus.PAUSED, 2
                one.revision += 1

        async def resume() -> None:
            await locked.wait()
            async with database.transaction() as session:
                await set_up(session)

        await asyncio.gather(pause(), resume())

        async with database.reading() as session:
            one, runtime = await reading.experiment(session, "paywall")
            assert (one.status, one.revision) == (ExperimentStatus.RUNNING, 3)
            assert runtime.violation_streak == 0
            assert (await done(session))[-1] == "experiment_resumed"


class TestNamespaces:
    def stretch(self, start: float, end: float, *, is_active: bool = True) -> SetUp:
        namespace = Namespace(id="walls", start=start, end=end)
        return replace(PAYWALL, namespace=namespace, is_active=is_active)

    async def test_share_users_out(self, session: AsyncSession) -> None:
        await put(session, "first", self.stretch(0, 0.5), act=EVE)
        await put(session, "second", self.stretch(0.5, 1), act=EVE)

        with pytest.raises(SetUpRefused, match="first takes") as refused:
            await put(session, "third", self.stretch(0.4, 0.5), act=EVE)
        assert refused.value.code == "namespace_overlap"

    async def test_leave_room_for_who_does_not_run(self, session: AsyncSession) -> None:
        await put(session, "first", self.stretch(0, 0.5, is_active=False), act=EVE)
        await put(session, "second", self.stretch(0, 1), act=EVE)

        with pytest.raises(SetUpRefused):
            await put(session, "first", self.stretch(0, 0.5), act=EVE)

    async def test_are_not_called_like_an_experiment_that_runs(self, session: AsyncSession) -> None:
        """All of its users of one variant would be those of the namespace, and no others."""
        await put(session, "walls", PAYWALL, act=EVE)
        with pytest.raises(SetUpRefused) as refused:
            await put(session, "first", self.stretch(0, 0.5), act=EVE)
        assert refused.value.code == "namespace_id_reserved"

        await put(session, "walls", PAYWALL, act=EVE, rebucket=True)  # is hashed otherwise now
        await put(session, "first", self.stretch(0, 0.5), act=EVE)

    async def test_keep_experiments_from_being_called_so(self, session: AsyncSession) -> None:
        await put(session, "first", self.stretch(0, 0.5), act=EVE)

        with pytest.raises(SetUpRefused, match="first draws"):
            await put(session, "walls", PAYWALL, act=EVE)

    async def test_let_one_of_two_in(self, database: Database) -> None:
        async def take(experiment_id: str) -> bool:
            try:
                async with database.transaction() as session:
                    await put(session, experiment_id, self.stretch(0, 1), act=EVE)
            except SetUpRefused:
                return False
            return True

        assert sorted(await asyncio.gather(take("first"), take("second"))) == [False, True]
