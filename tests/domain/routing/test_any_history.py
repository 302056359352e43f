"""Whatever is done: versions without gaps, none ever changed."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.routing.drafting import change_draft
from medici.domain.routing.models import (
    ProviderSettingsVersion,
)
from medici.domain.routing.publishing import Rollout, publish, roll_back
from medici.domain.routing.service import install_first_version
from medici.domain.routing.settings import ProviderSettings
from medici.domain.routing.trying import abort, promote
from medici.kernel.db.database import Database
from medici.kernel.errors import MediciError
from tests.domain.routing.acts import ACT, FIRST, NOW, REGISTERED

STEPS = ("draft", "publish", "canary", "promote", "abort", "back")
steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 4)), max_size=14)


async def taken(session: AsyncSession, step: str, number: int) -> None:
    """Take one step; what is refused changes nothing."""
    act = replace(ACT, reason=f"{step} {number}")
    if step == "draft":
        patch: dict[str, JsonValue] = {"cost_controls": {"max_retries": number}}
        await change_draft(session, patch, act=act, registered=REGISTERED)
    elif step in {"publish", "canary"}:
        rollout = Rollout(percent=100 if step == "publish" else 10)
        await publish(session, act=act, registered=REGISTERED, rollout=rollout)
    elif step == "back":
        await roll_back(session, number, act=act, registered=REGISTERED)
    else:
        await (promote if step == "promote" else abort)(session, act=act)


class TestAnyHistory:
    @settings(
        max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(history_=steps)
    async def test_leaves_no_gap_and_changes_no_version(
        self, database: Database, history_: list[tuple[str, int]]
    ) -> None:
        async with database.transaction() as session:
            await install_first_version(session, FIRST, now=NOW)
        before = await contents(database)

        for step, number in history_:
            try:
                async with database.transaction() as session:
                    await taken(session, step, number)
            except MediciError:
                assert await contents(database) == before, step
            after = await contents(database)
            assert after[: len(before)] == before, step
            assert [version for version, _ in after] == list(range(1, len(after) + 1))
            before = after


async def contents(database: Database) -> list[tuple[int, ProviderSettings]]:
    async with database.reading() as session:
        rows = await session.scalars(
            select(ProviderSettingsVersion).order_by(ProviderSettingsVersion.version)
        )
        return [(row.version, ProviderSettings.model_validate(row.content)) for row in rows]
