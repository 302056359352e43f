"""Styles, variables and the feed change row by row; the database counts what apps read."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans import queries
from medici.domain.plans.default_feed import ITEMS
from medici.domain.plans.errors import (
    DiscoverItemNotFound,
    DiscoverSectionNotFound,
    StyleNotFound,
    VariableNotFound,
    VariableOfWrongType,
    VariableRefused,
)
from medici.domain.plans.feed import shelves
from medici.domain.plans.models import DiscoverItem, Plan, Style, Variable
from medici.domain.plans.rules import ItemTerms, SectionTerms, StyleTerms
from medici.domain.plans.service import install_defaults
from medici.domain.plans.showing import delete_item, delete_section, save_item, save_section
from medici.domain.plans.styling import delete_style, save_style, seed_styles
from medici.domain.plans.tuning import delete_variable, set_variable
from medici.domain.plans.variables import Tunable
from medici.kernel.db.database import Database

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROCOCO = StyleTerms(
    display_name="Rococo",
    prompt="gilded stucco",
    thumbnail_url=None,
    is_active=True,
    tags=("gold",),
    room_types=(),
    sort_order=5,
)
SHELF = SectionTerms(title="Gardens", is_active=True, sort_order=5)
ITEM = ItemTerms(
    section_key="gardens",
    title="A hedge",
    subtitle="",
    category="Jardín",
    before_image_url="https://example.com/before.jpg",
    after_image_url="/static/discover/bedroom.jpg",
    is_active=True,
    sort_order=0,
)
COUNT = Tunable(key="count", default=10, minimum=1, maximum=50, description="how many")


async def set_to(session: AsyncSession, value: object, tunable: object = None) -> object:
    await set_variable(
        session,
        key="count",
        value=value,  # type: ignore[arg-type]  # what a client may send
        description=None,
        tunable=tunable,  # type: ignore[arg-type]
        now=NOW,
    )
    return (await session.get_one(Variable, "count")).value


class TestStyles:
    async def test_are_saved_and_deleted(self, session: AsyncSession) -> None:
        made = await save_style(session, style_id="rococo", terms=ROCOCO, now=NOW)
        gone = await delete_style(session, style_id="rococo")

        assert (made.before, gone.before, gone.after) == (None, made.after, None)
        with pytest.raises(StyleNotFound):
            await delete_style(session, style_id="rococo")

    async def test_of_the_first_day_come_back_without_touching_others(
        self, session: AsyncSession
    ) -> None:
        await install_defaults(session, now=NOW)
        await delete_style(session, style_id="japandi")
        await session.execute(update(Style).where(Style.style_id == "rustic").values(prompt="mine"))

        changes = await seed_styles(session, overwrite=False, now=NOW)

        assert list(changes) == ["japandi"]
        assert (await session.get_one(Style, "rustic")).prompt == "mine"

    async def test_are_set_back_where_that_is_wanted(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)
        await session.execute(update(Style).where(Style.style_id == "rustic").values(prompt="mine"))

        changes = await seed_styles(session, overwrite=True, now=NOW)

        assert list(changes) == ["rustic"]
        assert (await session.get_one(Style, "rustic")).prompt.startswith("rustic farmhouse")


class TestVariables:
    @pytest.mark.parametrize("value", [True, 7, 0.5, "a text", -3, 0])
    async def test_that_none_reads_take_any_scalar(
        self, session: AsyncSession, value: object
    ) -> None:
        stored = await set_to(session, value)

        assert (stored, type(stored)) == (value, type(value))

    async def test_that_some_code_reads_are_stored_as_it_reads_them(
        self, session: AsyncSession
    ) -> None:
        stored = await set_to(session, 7.0, COUNT)

        assert (stored, type(stored)) == (7, int)
        assert (await session.get_one(Variable, "count")).description == "how many"

    @pytest.mark.parametrize("value", ["7", True, 7.5])
    async def test_of_another_type_are_refused(self, session: AsyncSession, value: object) -> None:
        with pytest.raises(VariableOfWrongType) as refused:
            await set_to(session, value, COUNT)

        assert refused.value.details() == {
            "key": "count",
            "type": "integer",
            "minimum": 1,
            "maximum": 50,
        }
        assert (await session.scalars(select(Variable))).all() == []

    @pytest.mark.parametrize("value", [0, 51, -1])
    async def test_out_of_bounds_are_refused(self, session: AsyncSession, value: int) -> None:
        with pytest.raises(VariableRefused) as refused:
            await set_to(session, value, COUNT)

        assert refused.value.code == "variable_out_of_bounds"

    async def test_keep_a_description_that_is_not_spoken_of(self, session: AsyncSession) -> None:
        session.add(Variable(key="count", value=1, description="mine", updated_at=NOW))

        await set_to(session, 2, COUNT)

        assert (await session.get_one(Variable, "count")).description == "mine"

    async def test_are_forgotten_once(self, session: AsyncSession) -> None:
        await set_to(session, 7)

        change = await delete_variable(session, key="count")

        assert (change.after, await queries.stored_variables(session)) == (None, [])
        with pytest.raises(VariableNotFound):
            await delete_variable(session, key="count")


class TestFeed:
    async def test_shows_our_own_pictures_at_first(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)

        (shelf,) = await shelves(session, tab="hOME")

        assert shelf.section.title == "Before and after"
        assert [item.id for item in shelf.items] == [row["id"] for row in ITEMS]

    async def test_has_no_sections_under_an_unknown_tab(self, session: AsyncSession) -> None:
        await install_defaults(session, now=NOW)

        assert await shelves(session, tab="Castles") == []

    async def test_knows_a_tab_in_any_case_of_any_alphabet(self, session: AsyncSession) -> None:
        await save_section(session, key="gardens", terms=SHELF, now=NOW)
        await save_item(session, item_id="hedge", terms=ITEM, now=NOW)

        (shelf,) = await shelves(session, tab="JARDÍN")

        assert [item.id for item in shelf.items] == ["hedge"]

    async def test_item_needs_its_section(self, session: AsyncSession) -> None:
        with pytest.raises(DiscoverSectionNotFound):
            await save_item(session, item_id="hedge", terms=ITEM, now=NOW)

    async def test_section_goes_with_what_stands_in_it(self, session: AsyncSession) -> None:
        await save_section(session, key="gardens", terms=SHELF, now=NOW)
        await save_item(session, item_id="hedge", terms=ITEM, now=NOW)

        await delete_section(session, key="gardens")

        assert (await session.scalars(select(DiscoverItem))).all() == []
        with pytest.raises(DiscoverSectionNotFound):
            await delete_section(session, key="gardens")
        with pytest.raises(DiscoverItemNotFound):
            await delete_item(session, item_id="hedge")

    async def test_that_an_operator_emptied_in_part_is_not_filled_again(
        self, session: AsyncSession
    ) -> None:
        await install_defaults(session, now=NOW)
        await session.execute(delete(DiscoverItem))

        await install_defaults(session, now=NOW)

        assert await shelves(session, tab=None) == []


class TestRevision:
    async def test_rises_with_every_change_whoever_makes_it(self, database: Database) -> None:
        async def revision() -> int:
            async with database.reading() as session:
                return await queries.catalogue_revision(session)

        async with database.transaction() as session:
            await install_defaults(session, now=NOW)
        seen = [await revision()]
        for statement in (
            update(Plan).where(Plan.plan_id == "free").values(daily_credits=4),
            delete(Style).where(Style.style_id == "rustic"),
            update(Variable)
            .where(Variable.key == "daily_credit_limit_enabled")
            .values(value=False),
        ):
            async with database.transaction() as session:
                await session.execute(statement)
            seen.append(await revision())

        assert seen == sorted(set(seen))

    async def test_stays_when_a_change_is_undone(self, database: Database) -> None:
        async with database.reading() as session:
            before = await queries.catalogue_revision(session)

        with pytest.raises(StyleNotFound):
            async with database.transaction() as session:
                await save_style(session, style_id="rococo", terms=ROCOCO, now=NOW)
                await delete_style(session, style_id="gothic")

        async with database.reading() as session:
            assert await queries.catalogue_revision(session) == before
