"""Which running experiments test providers, and what they give to whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from medici.domain.assignments.attributes import Attributes
from medici.domain.assignments.changes import CHANGES
from medici.domain.assignments.definition import Definition
from medici.domain.assignments.errors import SetupChanged
from medici.domain.assignments.queries import definitions, running_definitions
from medici.domain.assignments.rules import SERVED
from medici.domain.assignments.service.assigning import Ask, Told, assign_many
from medici.domain.routing.treatment import Treatment, routing_of
from medici.kernel.db.driver.transaction import Driver

KEPT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    tests: Sequence[Definition]
    read_at: datetime
    changes: int

    def holds(self, now: datetime) -> bool:
        return self.changes == CHANGES.count and self.read_at <= now < self.read_at + KEPT


_copies: WeakKeyDictionary[Engine, _Copy] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """What is known of somebody who orders a render, for experiments that are for some only."""

    platform: str | None
    plan_id: str
    known_since: datetime

    def before(self, test: Definition) -> Attributes:
        """Return what an experiment is told of the visitor; country and app are not known."""
        start = test.phase_started_at
        return Attributes(
            platform=self.platform,
            plan_id=self.plan_id,
            new_user=start is not None and self.known_since >= start,
        )


async def provider_tests(driver: Driver, *, now: datetime) -> Sequence[Definition]:
    """Return running experiments of which a variant changes routes, by id; at most a second old.

    What this process changes is seen at once.
    """
    copy = _copies.get(driver.engine)
    if copy is None or not copy.holds(now):
        changes = CHANGES.count
        running = await running_definitions(driver)
        tests = sorted(filter(tests_providers, running), key=lambda test: test.experiment_id)
        copy = _copies[driver.engine] = _Copy(tests=tests, read_at=now, changes=changes)
    return copy.tests


def tests_providers(definition: Definition) -> bool:
    """Tell whether any variant changes routes."""
    return any(routing_of(variant.config) for variant in definition.variants)


async def treatments(
    driver: Driver,
    tests: Sequence[Definition],
    visitors: Mapping[str, Visitor],
    *,
    holdout_percent: float,
    now: datetime,
) -> dict[str, Treatment]:
    """Return what users get by tests of providers; who gets nothing is left out.

    A user takes part in the first test, in the order given, that serves them. They are neither
    assigned in those after it nor counted there.
    """
    found: dict[str, Treatment] = {}
    for test in tests:
        waiting = {user: visitor for user, visitor in visitors.items() if user not in found}
        for told in await _told(driver, test, waiting, holdout_percent=holdout_percent, now=now):
            if told.reason in SERVED:
                found[told.user_id] = Treatment(
                    experiment_id=told.experiment_id,
                    variant_id=told.variant_id,
                    routing=routing_of(told.config),
                )
    return found


async def treatment_of(driver: Driver, experiment_id: str, variant_id: str) -> Treatment:
    """Return what a variant changes, whether or not its experiment is running still."""
    found = (await definitions(driver, [experiment_id])).get(experiment_id)
    variant = found.variant(variant_id) if found else None
    return Treatment(
        experiment_id=experiment_id,
        variant_id=variant_id,
        routing=routing_of(variant.config) if variant else None,
    )


async def _told(
    driver: Driver,
    test: Definition,
    visitors: Mapping[str, Visitor],
    *,
    holdout_percent: float,
    now: datetime,
) -> list[Told]:
    """Assign visitors; those for whom the set-up at hand is too old, by the one as stored now."""
    outcomes = await assign_many(
        driver, _asks(test, visitors), holdout_percent=holdout_percent, now=now
    )
    told = [each for each in outcomes if isinstance(each, Told)]
    if not any(isinstance(each, SetupChanged) for each in outcomes):
        return told
    fresh = (await definitions(driver, [test.experiment_id])).get(test.experiment_id)
    if fresh is None or not fresh.is_running or fresh == test:
        return told
    served = {each.user_id for each in told}
    late = {user: visitor for user, visitor in visitors.items() if user not in served}
    return told + await _told(driver, fresh, late, holdout_percent=holdout_percent, now=now)


def _asks(test: Definition, visitors: Mapping[str, Visitor]) -> list[Ask]:
    return [
        Ask(user_id=user_id, definition=test, attributes=visitor.before(test), expose=True)
        for user_id, visitor in visitors.items()
    ]
