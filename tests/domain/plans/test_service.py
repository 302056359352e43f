"""A new deployment sells something at once; an operator's choices stay."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans import queries
from medici.domain.plans.models import Plan, Style, Variable
from medici.domain.plans.service import install_defaults
from medici.domain.plans.variables import (
    DAILY_CREDIT_LIMIT_ENABLED,
    MAX_JOBS_IN_FLIGHT_PER_USER,
    PREVIEW_BEFORE_FINAL_REQUIRED,
)
from medici.kernel.db.database import Database

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class TestInstallDefaults:
    async def test_installs_two_plans(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)

        free, pro = await queries.active_plans(session)
        assert (free.plan_id, free.daily_credits, free.monthly_price_cents) == ("free", 3, 0)
        assert (free.preview_cost_credits, free.final_cost_credits) == (1, 2)
        assert free.features == ["daily_free_credits", "preview_generation"]
        assert free.ios_product_id is None
        assert (pro.plan_id, pro.daily_credits, pro.monthly_price_cents) == ("pro", 80, 1499)
        assert (pro.preview_cost_credits, pro.final_cost_credits) == (1, 1)
        assert pro.features == ["higher_limits", "priority_queue", "no_ads"]
        products = (pro.ios_product_id, pro.android_product_id, pro.web_product_id)
        assert products == ("pro_monthly_ios", "pro_monthly_android", "pro_monthly_web")
        assert pro.updated_at == NOW

    async def test_installs_nine_styles_in_order(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)

        styles = await queries.active_styles(session)
        assert [style.style_id for style in styles] == [
            "modern",
            "minimalistic",
            "bohemian",
            "scandinavian",
            "industrial",
            "japandi",
            "rustic",
            "vintage",
            "christmas",
        ]
        assert styles[5].display_name == "Japandi"
        assert all(len(style.prompt) > 120 for style in styles)
        assert all(style.tags and style.room_types for style in styles)

    async def test_installs_the_variables_of_a_render(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)

        stored = (await queries.load_variables(session)).stored
        assert stored == {
            "daily_credit_limit_enabled": True,
            "preview_before_final_required": True,
            "max_jobs_in_flight_per_user": 10,
        }

    async def test_what_an_operator_deleted_stays_deleted(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)
        await session.execute(delete(Plan).where(Plan.plan_id == "pro"))
        await session.execute(delete(Style).where(Style.style_id == "christmas"))

        await install_defaults(session, now=NOW)

        assert [plan.plan_id for plan in await queries.active_plans(session)] == ["free"]
        assert await queries.style_by_id(session, "christmas") is None

    async def test_fills_the_tables_one_by_one(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)
        await session.execute(delete(Variable))

        await install_defaults(session, now=NOW)

        assert len((await queries.load_variables(session)).stored) == 3

    async def test_processes_that_start_at_once_install_one_set(self, database: Database) -> None:
        async def start() -> None:
            async with database.transaction() as session:
                await install_defaults(session, now=NOW)

        await asyncio.gather(*(start() for _ in range(5)))

        async with database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(Plan)) == 2
            assert await session.scalar(select(func.count()).select_from(Style)) == 9


class TestQueries:
    async def test_what_is_inactive_is_found_by_id_alone(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)
        pro = await session.get_one(Plan, "pro")
        modern = await session.get_one(Style, "modern")
        pro.is_active = modern.is_active = False
        await session.flush()

        assert [plan.plan_id for plan in await queries.active_plans(session)] == ["free"]
        assert "modern" not in [style.style_id for style in await queries.active_styles(session)]
        assert await queries.plan_by_id(session, "pro") is pro
        assert await queries.style_by_id(session, "modern") is modern

    async def test_the_unknown_is_none(self, session: AsyncSession) -> None:
        assert await queries.plan_by_id(session, "gold") is None
        assert await queries.style_by_id(session, "gold") is None

    async def test_variables_come_back_as_they_were_stored(self, session: AsyncSession) -> None:
        for key, value in {"flag": False, "share": 0.05, "count": 7, "word": "point"}.items():
            session.add(Variable(key=key, value=value, updated_at=NOW))
        await session.flush()

        variables = await queries.load_variables(session)

        assert variables.stored == {"flag": False, "share": 0.05, "count": 7, "word": "point"}
        assert [type(variables.stored[key]) for key in ("flag", "share", "count", "word")] == [
            bool,
            float,
            int,
            str,
        ]

    async def test_an_empty_table_means_defaults(self, session: AsyncSession) -> None:
        variables = await queries.load_variables(session)

        assert variables[DAILY_CREDIT_LIMIT_ENABLED] is True
        assert variables[PREVIEW_BEFORE_FINAL_REQUIRED] is True
        assert variables[MAX_JOBS_IN_FLIGHT_PER_USER] == 10
