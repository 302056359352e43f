"""Assignments are kept: one row, one answer, whoever asks at the same time."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from medici.domain.assignments.attributes import UNKNOWN, Attributes
from medici.domain.assignments.bucketing import bucket
from medici.domain.assignments.errors import SetupChanged
from medici.domain.assignments.models import ExposureMode, Reason
from medici.domain.assignments.queries import definitions, running_definitions
from medici.domain.assignments.service.assigning import (
    Ask,
    Told,
    assign_many,
    decide_many,
    decide_served,
    keep,
)
from medici.kernel.db.driver.transaction import Driver
from tests.domain.assignments.experiments import (
    A_AND_B,
    LATER,
    NOW,
    Laboratory,
    experiment,
    ladder,
)
from tests.support.databases import opened

WEIGHTED = [{**A_AND_B[0], "weight": 1}, {**A_AND_B[1], "weight": 9_999}]


class Counted:
    """A driver that counts what it is asked."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.statements: list[str] = []

    @property
    def engine(self) -> Engine:
        return self._driver.engine

    async def fetch(self, sql: str, arguments: Sequence[object]) -> Sequence[Sequence[Any]]:
        self.statements.append(sql.partition(" ")[0])
        return await self._driver.fetch(sql, arguments)

    def after_commit(self, follow: Any) -> None:
        self._driver.after_commit(follow)


class TestAssignMany:
    async def test_tells_and_keeps_what_a_newcomer_gets(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())

        told = await laboratory.assign("ann", attributes=Attributes(platform="ios"))

        assert told == Told(
            experiment_id="paywall",
            user_id="ann",
            variant_id="control",
            config={"mode": "old"},
            assigned_at=NOW,
            from_cache=False,
            in_experiment=True,
            reason=Reason.HASH,
            bucket=bucket("paywall", "ann"),
            phase=1,
            bucket_version=0,
        )
        row = await laboratory.row("ann")
        assert (row.variant_id, row.reason, row.enrolled) == ("control", Reason.HASH, True)
        assert (row.assigned_at, row.first_exposed_at, row.censored_at) == (NOW, NOW, None)
        assert (row.bucket, row.rollout_bucket) == (told.bucket, bucket("paywall:rollout", "ann"))
        assert (row.phase, row.bucket_version, row.platform) == (1, 0, "ios")

    async def test_tells_the_same_from_then_on(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())
        first = await laboratory.assign("ann")

        again = await laboratory.assign("ann", now=LATER)

        assert (again.variant_id, again.assigned_at) == (first.variant_id, NOW)
        assert (again.from_cache, again.reason) == (True, Reason.STICKY)
        assert (await laboratory.row("ann")).first_exposed_at == NOW

    async def test_moves_nobody_when_weights_change(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())
        users = [f"u_{number}" for number in range(200)]
        before = await variants(laboratory, users)

        await laboratory.change(variants=WEIGHTED, phase=2)

        assert await variants(laboratory, users) == before
        assert set(before.values()) == {"control", "b"}
        assert {row.phase for row in (await laboratory.rows()).values()} == {1}
        assert (await laboratory.assign("newcomer")).phase == 2

    async def test_keeps_nothing_of_those_left_out(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment(targeting={"platform": ["ios"]}))

        told = await laboratory.assign("ann")

        assert (told.variant_id, told.reason) == ("control", Reason.NOT_TARGETED)
        assert (told.in_experiment, told.from_cache, told.assigned_at) == (False, False, NOW)
        assert await laboratory.rows() == {}
        met = await laboratory.assign("ann", attributes=Attributes(platform="ios"))
        assert met.reason is Reason.HASH

    async def test_holds_out_whom_it_is_told_to(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())

        assert (await laboratory.assign("ann", holdout_percent=100)).reason is Reason.HOLDOUT

    async def test_exposes_nobody_who_only_asks(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())

        await laboratory.assign("ann", expose=False)
        assert (await laboratory.row("ann")).first_exposed_at is None
        await laboratory.assign("ann", now=LATER)
        assert (await laboratory.row("ann")).first_exposed_at == LATER

    async def test_exposes_nobody_where_the_app_tells_exposures(
        self, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment(exposure_mode=ExposureMode.EXPLICIT))

        await laboratory.assign("ann")
        await laboratory.assign("ann")

        assert (await laboratory.row("ann")).first_exposed_at is None

    async def test_keeps_newcomers_on_the_ladder_out_of_the_comparison(
        self, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment())
        await laboratory.step(100)

        told = await laboratory.assign("ann")

        assert (told.variant_id, told.reason, told.in_experiment) == ("b", Reason.ROLLOUT, False)
        row = await laboratory.row("ann")
        assert (row.enrolled, row.reason, row.first_exposed_at) == (False, Reason.ROLLOUT, None)
        assert (await laboratory.assign("ann")).from_cache

    async def test_goes_back_to_the_hash_after_a_ladder(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())
        await laboratory.step(100)
        await laboratory.assign("ann")

        await laboratory.step(0)

        told = await laboratory.assign("ann")
        assert (told.variant_id, told.reason, told.in_experiment) == (
            "control",
            Reason.HASH,
            False,
        )
        row = await laboratory.row("ann")
        assert (row.variant_id, row.enrolled, row.first_exposed_at) == ("b", False, None)

    async def test_draws_everybody_anew_for_a_new_version(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())
        users = [f"u_{number}" for number in range(100)]
        before = await variants(laboratory, users)
        await laboratory.change_row("u_0", censored_at=NOW, multiply_exposed=True)

        await laboratory.change(bucket_version=1, seed="paywall:v1", phase=2)
        after = await variants(laboratory, users)

        moved = [user for user in users if before[user] != after[user]]
        assert 25 < len(moved) < 75
        assert await variants(laboratory, users) == after
        rows = await laboratory.rows()
        assert {(row.bucket_version, row.phase) for row in rows.values()} == {(1, 2)}
        row = rows["u_0"]
        assert (row.censored_at, row.multiply_exposed, row.bucket) == (
            None,
            False,
            bucket("paywall:v1", "u_0"),
        )

    async def test_tells_two_who_ask_the_same_the_same(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())
        paywall = await laboratory.definition()
        asks = [
            Ask(user_id="ann", definition=paywall, expose=False),
            Ask(user_id="bob", definition=paywall),
            Ask(user_id="ann", definition=paywall),
        ]

        first, bob, second = told_of(await laboratory.ask(asks))

        assert (first.from_cache, second.from_cache) == (False, True)
        assert first.variant_id == second.variant_id
        assert bob.user_id == "bob"
        assert (await laboratory.row("ann")).first_exposed_at == NOW

    async def test_tells_one_who_came_late_what_the_other_has_kept(
        self, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment())
        asks = [Ask(user_id="ann", definition=await laboratory.definition())]

        both = await asyncio.gather(laboratory.ask(asks, now=NOW), laboratory.ask(asks, now=LATER))

        told = [each for (each,) in map(told_of, both)]
        assert len({(each.variant_id, each.assigned_at) for each in told}) == 1
        assert sorted(each.from_cache for each in told) == [False, True]

    async def test_gives_one_row_and_one_answer_to_50_who_ask_at_once(
        self, laboratory: Laboratory, database_url: str
    ) -> None:
        await laboratory.store(experiment())
        ask = Ask(user_id="ann", definition=await laboratory.definition())
        async with opened(database_url) as other:
            two = (laboratory, Laboratory(other))

            outcomes = await asyncio.gather(*(two[n % 2].ask([ask]) for n in range(50)))

        told = [each for (each,) in map(told_of, outcomes)]
        assert {each.variant_id for each in told} == {"control"}
        assert [each.from_cache for each in told].count(False) == 1
        assert len(await laboratory.rows()) == 1

    async def test_finds_out_that_a_definition_has_grown_old(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())
        old = await laboratory.definition()
        await laboratory.ask([Ask(user_id="ann", definition=old)])
        await laboratory.step(10)

        known, new = await laboratory.ask(
            [Ask(user_id="ann", definition=old), Ask(user_id="bob", definition=old)]
        )

        assert isinstance(known, Told)
        assert isinstance(new, SetupChanged)
        assert list(await laboratory.rows()) == ["ann"]
        await laboratory.change(name="another")
        (changed,) = await laboratory.ask([Ask(user_id="bob", definition=old)])
        assert isinstance(changed, SetupChanged)

    async def test_asks_the_database_as_often_for_many_as_for_one(
        self, laboratory: Laboratory
    ) -> None:
        await laboratory.store(*(experiment(f"e{number}") for number in range(50)))
        found = await laboratory.database.look(running_definitions)

        async def statements(users: Sequence[str], count: int) -> list[str]:
            asks = [Ask(user_id=user, definition=each) for user in users for each in found[:count]]
            return await counted(laboratory, asks)

        assert await statements(["ann"], 1) == ["SELECT", "INSERT"]
        assert await statements(["ann"], 50) == ["SELECT", "INSERT"]
        assert await statements(["bob", "eve", "ann"], 50) == ["SELECT", "INSERT"]
        assert await statements(["ann", "bob"], 50) == ["SELECT"]
        assert await statements([], 50) == []


class TestDecideMany:
    async def test_knows_what_needs_no_writing(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment(overrides={"qa": "b"}))
        await laboratory.assign("ann")
        await laboratory.assign("eve", expose=False)
        paywall = await laboratory.definition()
        asks = [Ask(user_id=user, definition=paywall) for user in ("ann", "bob", "eve", "qa")]

        decided = await laboratory.database.look(
            lambda driver: decide_many(driver, asks, holdout_percent=0)
        )

        assert [each.is_settled for each in decided] == [True, False, False, True]


class TestDecideServed:
    async def test_tells_only_what_is_the_users_own(self, laboratory: Laboratory) -> None:
        await laboratory.store(
            experiment("drawn"),
            experiment("forced", overrides={"ann": "b"}),
            experiment("empty", traffic_percent=0.0),
            experiment("elsewhere", targeting={"country": ["TR"]}),
            experiment("won"),
        )
        await laboratory.step(100, experiment_id="won")

        told = await served(laboratory)

        assert {each.experiment_id: each.reason for each in told} == {
            "drawn": Reason.HASH,
            "forced": Reason.OVERRIDE,
            "won": Reason.ROLLOUT,
        }

    async def test_draws_for_no_more_than_are_wanted(self, laboratory: Laboratory) -> None:
        hours = [timedelta(hours=number) for number in range(3)]
        await laboratory.store(
            *(experiment(f"e{n}", created_at=NOW - hour) for n, hour in enumerate(hours))
        )

        assert [each.experiment_id for each in await served(laboratory, limit=2)] == ["e2", "e1"]

        again = await served(laboratory, limit=3)
        assert [each.from_cache for each in again] == [True, True, False]

    async def test_tells_apart_what_is_just_being_changed(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment(), experiment("other"))
        found = await laboratory.database.look(running_definitions)
        await laboratory.change(name="another")

        told = await laboratory.ask([Ask(user_id="ann", definition=each) for each in found])

        assert isinstance(told[1], SetupChanged)
        assert [each.experiment_id for each in told_of(told[:1])] == ["other"]


class TestDefinitions:
    async def test_are_parsed_once_as_long_as_they_stay_the_same(
        self, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment())

        first, again = await laboratory.definition(), await laboratory.definition()
        await laboratory.step(10)
        changed = await laboratory.definition()

        assert again is first
        assert (first.ladder, changed.rollout_percent) == (None, 10)
        assert changed.ladder is not None
        assert changed.ladder.winner_variant_id == ladder(10)["winner_variant_id"]

    async def test_leave_out_what_nobody_knows(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())

        found = await laboratory.database.look(
            lambda driver: definitions(driver, ["paywall", "other"])
        )

        assert list(found) == ["paywall"]

    async def test_keep_whole_and_broken_shares(self, laboratory: Laboratory) -> None:
        await laboratory.store(experiment(traffic_percent=12.5))

        assert (await laboratory.definition()).ranges == ((0, 0.0625), (0.5, 0.5625))


async def variants(laboratory: Laboratory, users: Sequence[str]) -> dict[str, str]:
    """Return what each of many users gets."""
    paywall = await laboratory.definition()
    asks = [Ask(user_id=user, definition=paywall) for user in users]
    return {each.user_id: each.variant_id for each in told_of(await laboratory.ask(asks))}


def told_of(outcomes: Sequence[object]) -> list[Told]:
    for each in outcomes:
        assert isinstance(each, Told)
    return [each for each in outcomes if isinstance(each, Told)]


async def served(laboratory: Laboratory, limit: int = 50) -> Sequence[Told]:
    """Return what ann is told of all that runs."""
    found = await laboratory.database.look(running_definitions)
    asks = [Ask(user_id="ann", definition=each, attributes=UNKNOWN) for each in found]

    async def serve(driver: Driver) -> Sequence[object]:
        decided = await decide_served(driver, asks, limit=limit, holdout_percent=0)
        return await keep(driver, decided, holdout_percent=0, now=NOW)

    return told_of(await laboratory.database.carry_out(serve))


async def counted(laboratory: Laboratory, asks: Sequence[Ask]) -> list[str]:
    """Return the kinds of statements that an assignment takes."""

    async def count(driver: Driver) -> list[str]:
        counting = Counted(driver)
        await assign_many(counting, asks, holdout_percent=0, now=NOW)
        return counting.statements

    return await laboratory.database.carry_out(count)
