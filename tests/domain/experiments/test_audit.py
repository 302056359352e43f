"""What was done to experiments is written down and can be looked up."""

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.experiments import audit
from medici.domain.experiments.audit import changed
from tests.domain.experiments.set_ups import EVE


class TestEntries:
    async def test_come_newest_first_and_by_page(self, session: AsyncSession) -> None:
        made = [
            await audit.record(session, "experiment_upserted", name, act=EVE) for name in "abcab"
        ]

        first = await audit.entries(session, limit=2)
        rest = await audit.entries(session, limit=9, before=first[-1].id)

        assert [each.id for each in (*first, *rest)] == [each.id for each in reversed(made)]

    async def test_are_found_by_experiment_and_action(self, session: AsyncSession) -> None:
        await audit.record(session, "experiment_upserted", "a", act=EVE)
        await audit.record(session, "experiment_deleted", "a", act=EVE)
        await audit.record(session, "experiment_deleted", "b", act=EVE)

        found = await audit.entries(
            session, limit=9, experiment_id="a", action="experiment_deleted"
        )

        assert [(each.target_id, each.action) for each in found] == [("a", "experiment_deleted")]

    async def test_name_who_proved_what_and_who_signed(self, session: AsyncSession) -> None:
        entry = await audit.record(session, "experiment_upserted", "a", act=EVE, metadata={"n": 1})

        assert (entry.actor, entry.proof, entry.reason) == ("admin_token", "admin_token", "a test")
        assert entry.after == {"actor": "eve", "metadata": {"n": 1}}


class TestChanged:
    def test_keeps_the_fields_that_differ(self) -> None:
        before = {"name": "a", "phase": 1, "overrides": {"ada": "x", "bob": "y"}}
        after = {"name": "b", "phase": 1, "overrides": {"ada": "x", "eve": "y"}}

        assert changed(before, after) == (
            {"name": "a", "overrides": {"bob": "y", "eve": None}},
            {"name": "b", "overrides": {"bob": None, "eve": "y"}},
        )

    def test_takes_lists_as_a_whole(self) -> None:
        assert changed({"variants": [1, 2]}, {"variants": [2]}) == (
            {"variants": [1, 2]},
            {"variants": [2]},
        )
