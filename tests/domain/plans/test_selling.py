"""What is for sale is changed whole, sold once per store, and never lost to those who have it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans import queries
from medici.domain.plans.errors import PackNotFound, PlanNotFound, PlanRequired, ProductIdTaken
from medici.domain.plans.models import Pack, Plan
from medici.domain.plans.rules import PackTerms, PlanTerms, Products
from medici.domain.plans.selling import delete_pack, save_pack, save_plan, withdraw_plan
from medici.domain.plans.service import install_defaults
from medici.kernel.db.database import Database

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
TEAM = PlanTerms(
    display_name="Team",
    is_active=True,
    daily_credits=200,
    preview_cost_credits=1,
    final_cost_credits=1,
    monthly_price_cents=2999,
    products=Products(web="team_web"),
    features=("no_ads",),
)
PACK = PackTerms(
    display_name="Fifty",
    is_active=True,
    credits=50,
    price_cents=499,
    products=Products(ios="fifty_ios"),
    sort_order=1,
)


class TestSavePlan:
    async def test_makes_one(self, session: AsyncSession) -> None:
        change = await save_plan(session, plan_id="team", terms=TEAM, now=NOW)

        team = await session.get_one(Plan, "team")
        assert (team.display_name, team.monthly_price_cents) == ("Team", 2999)
        assert (team.period_credits, team.trial_credits, team.deleted_at) == (0, 0, None)
        assert (team.web_product_id, team.ios_product_id) == ("team_web", None)
        assert (team.features, team.updated_at) == (["no_ads"], NOW)
        assert change.before is None
        assert change.after is not None
        assert change.after["monthly_price_cents"] == 2999
        assert change.sells_differently

    async def test_changes_one_and_tells_what_it_was(self, session: AsyncSession) -> None:
        await save_plan(session, plan_id="team", terms=TEAM, now=NOW)

        change = await save_plan(
            session, plan_id="team", terms=replace(TEAM, daily_credits=300), now=LATER
        )

        assert change.before is not None
        assert change.after is not None
        assert (change.before["daily_credits"], change.after["daily_credits"]) == (200, 300)
        assert not change.sells_differently
        assert (await session.get_one(Plan, "team")).updated_at == LATER

    async def test_keeps_the_credits_of_periods_that_are_not_spoken_of(
        self, session: AsyncSession
    ) -> None:
        generous = replace(TEAM, period_credits=1_000, trial_credits=20)
        await save_plan(session, plan_id="team", terms=generous, now=NOW)

        await save_plan(session, plan_id="team", terms=replace(TEAM, period_credits=0), now=NOW)

        team = await session.get_one(Plan, "team")
        assert (team.period_credits, team.trial_credits) == (0, 20)

    @pytest.mark.parametrize(
        "changed",
        [
            replace(TEAM, monthly_price_cents=3000),
            replace(TEAM, is_active=False),
            replace(TEAM, products=Products(web="team_web", ios="team_ios")),
            replace(TEAM, products=Products()),
        ],
    )
    async def test_tells_when_purchases_may_mean_something_else(
        self, session: AsyncSession, changed: PlanTerms
    ) -> None:
        await save_plan(session, plan_id="team", terms=TEAM, now=NOW)

        change = await save_plan(session, plan_id="team", terms=changed, now=NOW)

        assert change.sells_differently


class TestProducts:
    async def test_of_another_plan_are_refused(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)
        terms = replace(TEAM, products=Products(web="team_web", ios="pro_monthly_ios"))

        with pytest.raises(ProductIdTaken) as refused:
            await save_plan(session, plan_id="team", terms=terms, now=NOW)

        assert refused.value.details() == {
            "store": "ios",
            "product_id": "pro_monthly_ios",
            "taken_by": "plan:pro",
        }
        assert await queries.plan_by_id(session, "team") is None

    async def test_of_a_pack_are_refused_to_plans_and_the_other_way_round(
        self, session: AsyncSession
    ) -> None:
        await save_pack(session, pack_id="fifty", terms=PACK, now=NOW)
        await save_plan(session, plan_id="team", terms=TEAM, now=NOW)

        with pytest.raises(ProductIdTaken, match="pack:fifty"):
            terms = replace(TEAM, products=Products(ios="fifty_ios"))
            await save_plan(session, plan_id="gold", terms=terms, now=NOW)
        with pytest.raises(ProductIdTaken, match="plan:team"):
            pack = replace(PACK, products=Products(web="team_web"))
            await save_pack(session, pack_id="ten", terms=pack, now=NOW)

    async def test_may_be_called_alike_in_two_stores(self, session: AsyncSession) -> None:
        await save_plan(session, plan_id="team", terms=TEAM, now=NOW)

        terms = replace(TEAM, products=Products(android="team_web"))
        await save_plan(session, plan_id="gold", terms=terms, now=NOW)

        assert (await session.get_one(Plan, "gold")).android_product_id == "team_web"

    async def test_stay_with_the_plan_that_is_saved_again(self, session: AsyncSession) -> None:
        await save_plan(session, plan_id="team", terms=TEAM, now=NOW)

        await save_plan(session, plan_id="team", terms=TEAM, now=NOW)

        assert (await session.get_one(Plan, "team")).web_product_id == "team_web"

    async def test_of_a_withdrawn_plan_are_free_until_it_is_back(
        self, session: AsyncSession
    ) -> None:
        await save_plan(session, plan_id="team", terms=TEAM, now=NOW)
        await withdraw_plan(session, plan_id="team", now=NOW)
        await save_plan(session, plan_id="crew", terms=TEAM, now=NOW)

        with pytest.raises(ProductIdTaken, match="plan:crew"):
            await save_plan(session, plan_id="team", terms=TEAM, now=NOW)

    async def test_are_kept_apart_by_the_database_too(self, session: AsyncSession) -> None:
        await save_plan(session, plan_id="team", terms=TEAM, now=NOW)
        twin = await session.get_one(Plan, "team")
        values = {each.key: getattr(twin, each.key) for each in Plan.__table__.columns}

        with pytest.raises(IntegrityError):
            async with session.begin_nested():
                session.add(Plan(**{**values, "plan_id": "twin"}))

    async def test_go_to_one_of_two_who_ask_at_once(self, database: Database) -> None:
        async def save(plan_id: str) -> str:
            try:
                async with database.transaction() as session:
                    await save_plan(session, plan_id=plan_id, terms=TEAM, now=NOW)
            except ProductIdTaken:
                return "taken"
            return "saved"

        outcomes = await asyncio.gather(*(save(f"plan{number}") for number in range(4)))

        assert sorted(outcomes) == ["saved", "taken", "taken", "taken"]


class TestWithdrawPlan:
    async def test_takes_it_out_of_the_catalogue_and_leaves_it_to_its_holders(
        self, session: AsyncSession
    ) -> None:
        await install_defaults(session, now=NOW)

        change = await withdraw_plan(session, plan_id="pro", now=LATER)

        assert [plan.plan_id for plan in await queries.active_plans(session)] == ["free"]
        held = await queries.plan_by_id(session, "pro")
        assert held is not None
        assert (held.deleted_at, held.is_active, held.daily_credits) == (LATER, True, 80)
        assert change.after is not None
        assert change.after["deleted_at"] == LATER.isoformat()
        assert change.sells_differently

    async def test_never_takes_the_free_plan(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)

        with pytest.raises(PlanRequired):
            await withdraw_plan(session, plan_id="free", now=NOW)

        assert (await session.get_one(Plan, "free")).deleted_at is None

    async def test_knows_it_only_once(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)
        await withdraw_plan(session, plan_id="pro", now=NOW)

        with pytest.raises(PlanNotFound):
            await withdraw_plan(session, plan_id="pro", now=LATER)
        with pytest.raises(PlanNotFound):
            await withdraw_plan(session, plan_id="gold", now=NOW)

    async def test_is_undone_by_saving(self, session: AsyncSession) -> None:
        await save_plan(session, plan_id="team", terms=TEAM, now=NOW)
        await withdraw_plan(session, plan_id="team", now=NOW)

        change = await save_plan(session, plan_id="team", terms=TEAM, now=LATER)

        assert (await session.get_one(Plan, "team")).deleted_at is None
        assert change.sells_differently


class TestPacks:
    async def test_are_made_changed_and_deleted(self, session: AsyncSession) -> None:
        await save_pack(session, pack_id="fifty", terms=PACK, now=NOW)
        changed = await save_pack(
            session, pack_id="fifty", terms=replace(PACK, price_cents=399), now=NOW
        )
        gone = await delete_pack(session, pack_id="fifty")

        assert changed.before is not None
        assert (changed.before["price_cents"], gone.after) == (499, None)
        assert (await session.scalars(select(Pack))).all() == []
        with pytest.raises(PackNotFound):
            await delete_pack(session, pack_id="fifty")
