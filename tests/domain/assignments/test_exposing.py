"""Exposures: once a day, the earliest counts, and nobody is compared who saw two variants."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from medici.domain.assignments.exposures import Refusal, Sighting
from medici.domain.assignments.models import Exposure, ExposureMode
from medici.domain.assignments.service.exposing import Taken, expose
from tests.domain.assignments.experiments import NOW, Laboratory, experiment

HOUR = timedelta(hours=1)
EVENING = NOW + 8 * HOUR  # of the same day
TOMORROW = NOW + 24 * HOUR


@pytest.fixture
async def assigned(laboratory: Laboratory) -> Laboratory:
    """A laboratory in which ann has control, and only the app tells what she sees."""
    await laboratory.store(experiment(exposure_mode=ExposureMode.EXPLICIT))
    await laboratory.assign("ann")
    return laboratory


async def saw(
    laboratory: Laboratory,
    *sightings: tuple[str, datetime],
    now: datetime = TOMORROW,
    experiment_id: str = "paywall",
) -> Taken:
    """Have ann say what she saw."""
    told = [
        Sighting(experiment_id=experiment_id, variant_id=variant, occurred_at=at)
        for variant, at in sightings
    ]
    return await laboratory.database.carry_out(lambda driver: expose(driver, "ann", told, now=now))


async def logged(laboratory: Laboratory) -> list[tuple[str, date, datetime]]:
    async with laboratory.database.reading() as session:
        found = await session.scalars(select(Exposure).order_by(Exposure.occurred_at))
        return [(each.variant_id, each.day, each.occurred_at) for each in found]


class TestExpose:
    async def test_begins_to_count_with_the_first(self, assigned: Laboratory) -> None:
        taken = await saw(assigned, ("control", EVENING), ("control", NOW + HOUR))

        assert taken == Taken(accepted=1, duplicates=1, rejected={})
        assert (await assigned.row("ann")).first_exposed_at == NOW + HOUR
        assert await logged(assigned) == [("control", NOW.date(), NOW + HOUR)]

    async def test_takes_a_repetition_once_a_day(self, assigned: Laboratory) -> None:
        await saw(assigned, ("control", NOW + HOUR))

        again = await saw(assigned, ("control", EVENING), ("control", TOMORROW))

        assert again == Taken(accepted=1, duplicates=1, rejected={})
        assert (await assigned.row("ann")).first_exposed_at == NOW + HOUR
        assert await logged(assigned) == [
            ("control", NOW.date(), NOW + HOUR),
            ("control", TOMORROW.date(), TOMORROW),
        ]

    async def test_learns_of_an_earlier_one(self, assigned: Laboratory) -> None:
        await saw(assigned, ("control", EVENING))

        again = await saw(assigned, ("control", NOW + HOUR))

        assert again == Taken(accepted=0, duplicates=1, rejected={})
        assert (await assigned.row("ann")).first_exposed_at == NOW + HOUR
        assert await logged(assigned) == [("control", NOW.date(), NOW + HOUR)]

    async def test_keeps_times_within_what_can_be(self, assigned: Laboratory) -> None:
        await saw(assigned, ("control", TOMORROW), now=EVENING)
        assert (await assigned.row("ann")).first_exposed_at == EVENING

        await saw(assigned, ("control", NOW - HOUR))
        assert (await assigned.row("ann")).first_exposed_at == NOW

    async def test_compares_nobody_who_saw_two_variants(self, assigned: Laboratory) -> None:
        await saw(assigned, ("control", NOW + HOUR))
        assert not (await assigned.row("ann")).multiply_exposed

        taken = await saw(assigned, ("b", EVENING))

        row = await assigned.row("ann")
        assert taken == Taken(accepted=1, duplicates=0, rejected={})
        assert (row.multiply_exposed, row.first_exposed_at) == (True, NOW + HOUR)
        await saw(assigned, ("control", TOMORROW))
        assert (await assigned.row("ann")).multiply_exposed

    async def test_leaves_alone_those_whom_the_ladder_serves(self, assigned: Laboratory) -> None:
        await saw(assigned, ("control", NOW + HOUR))
        await assigned.change_row("ann", censored_at=NOW + 2 * HOUR)

        taken = await saw(assigned, ("b", EVENING))

        assert taken.accepted == 1
        assert not (await assigned.row("ann")).multiply_exposed

    async def test_tells_what_it_could_not_take(self, assigned: Laboratory) -> None:
        await assigned.store(experiment("other"))

        mixed = await saw(assigned, ("typo", NOW), ("control", NOW))
        unknown = await saw(assigned, ("b", NOW), experiment_id="nothing")
        unasked = await saw(assigned, ("b", NOW), experiment_id="other")

        assert mixed == Taken(accepted=1, duplicates=0, rejected={0: Refusal.VARIANT_NOT_FOUND})
        assert unknown.rejected == {0: Refusal.EXPERIMENT_NOT_FOUND}
        assert unasked.rejected == {0: Refusal.NOT_ASSIGNED}
