"""A canary from its start to its end."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.models import AuditEntry
from medici.domain.identity.principal import Proof
from medici.domain.routing import history
from medici.domain.routing.canaries import Health, Limits
from medici.domain.routing.errors import (
    CanaryRunning,
    NoCanary,
)
from medici.domain.routing.models import (
    CanaryState,
)
from medici.domain.routing.publishing import Rollout, publish, roll_back
from medici.domain.routing.queries import published
from medici.domain.routing.trying import abort, note_health, promote
from tests.domain.routing.acts import ACT, FIRST, NOW, REGISTERED, drafted, in_force, went_out


@pytest.mark.usefixtures("_installed")
class TestCanary:
    async def test_is_taken_by_its_share_of_the_users_alone(self, session: AsyncSession) -> None:
        await drafted(session)
        assert await went_out(session, percent=20) == 2

        assert await in_force(session) == (1, "fal")
        found = await published(session)
        taking = [found.of_user(f"user-{number}").version for number in range(1000)]
        assert 160 < taking.count(2) < 240
        assert taking == [found.of_user(f"user-{number}").version for number in range(1000)]

    async def test_lets_no_other_version_out(self, session: AsyncSession) -> None:
        await went_out(session, percent=20)

        with pytest.raises(CanaryRunning):
            await went_out(session)

    async def test_promoted_is_in_force(self, session: AsyncSession) -> None:
        await drafted(session)
        await went_out(session, percent=20)

        await promote(session, act=ACT)

        found = await published(session)
        assert (found.version, found.canary) == (2, None)
        assert await went_out(session) == 3

    async def test_aborted_never_was(self, session: AsyncSession) -> None:
        await drafted(session)
        await went_out(session, percent=20)

        await abort(session, act=ACT)

        found = await published(session)
        assert (found.version, found.settings, found.canary) == (1, FIRST, None)
        assert await went_out(session) == 3
        assert (await published(session)).version == 3

    async def test_ends_with_a_roll_back(self, session: AsyncSession) -> None:
        await drafted(session)
        await went_out(session, percent=20)

        await roll_back(session, 1, act=ACT, registered=REGISTERED)

        found = await published(session)
        assert (found.version, found.canary) == (3, None)
        assert (await history.last_canary(session)).state is CanaryState.ABORTED

    @pytest.mark.parametrize("end", [promote, abort])
    async def test_has_to_be_there_to_end(self, session: AsyncSession, end: object) -> None:
        with pytest.raises(NoCanary):
            await (promote if end is promote else abort)(session, act=ACT)

    async def test_that_does_worse_is_taken_back_by_the_system(self, session: AsyncSession) -> None:
        await went_out(session, percent=20)
        good, bad = Health(finished=100), Health(finished=100, failed=30)

        assert await note_health(session, 2, canary=good, baseline=good, now=NOW) == ()
        assert len(await note_health(session, 2, canary=bad, baseline=good, now=NOW)) == 2

        canary = await history.last_canary(session)
        assert (canary.state, canary.ended_at) == (CanaryState.ROLLED_BACK, NOW)
        assert (await published(session)).canary is None
        noted = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()[-1]
        assert (noted.action, noted.proof, noted.actor) == (
            "provider_settings_canary_rolled_back",
            Proof.SYSTEM,
            "system",
        )
        assert noted.reason == "canary broke error_rate_max, error_rate_increase_max"

    async def test_that_has_ended_is_left_alone(self, session: AsyncSession) -> None:
        await went_out(session, percent=20)
        await promote(session, act=ACT)
        bad = Health(finished=100, failed=100)

        assert await note_health(session, 2, canary=bad, baseline=Health(), now=NOW) == ()
        assert (await published(session)).version == 2

    async def test_keeps_the_limits_it_was_given(self, session: AsyncSession) -> None:
        limits = Limits(minimum_sample=5, error_rate_max=90)
        await publish(
            session, act=ACT, registered=REGISTERED, rollout=Rollout(percent=1, limits=limits)
        )

        assert Limits.model_validate((await history.last_canary(session)).limits) == limits
