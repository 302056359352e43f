"""Turning what apps ask into what the domain answers: with what only the server knows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from medici.domain.assignments.attributes import Attributes
from medici.domain.assignments.definition import Definition
from medici.domain.assignments.errors import ExperimentInactive, ExperimentNotFound
from medici.domain.assignments.queries import arrivals, definitions
from medici.domain.assignments.service.assigning import Ask
from medici.domain.billing.queries import effective_plans
from medici.domain.identity.owner import OwnerKind
from medici.doors.studio.experiments.setups import Setups
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.errors import MediciError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A variant that somebody wants to know; ``attributes`` is what the client tells of them."""

    user_id: str
    experiment_id: str
    attributes: Attributes
    expose: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the server knows of users, as far as any experiment asks."""

    plans: Mapping[str, str] = field(default_factory=dict)
    arrived: Mapping[str, datetime] = field(default_factory=dict)

    def added(self, user_id: str, told: Attributes, definition: Definition) -> Attributes:
        if not self.plans and not self.arrived:
            return told
        arrived, started = self.arrived.get(user_id), definition.phase_started_at
        return replace(
            told,
            plan_id=self.plans.get(user_id),
            new_user=arrived is not None and started is not None and arrived >= started,
        )


async def asks_of(
    driver: Driver, wishes: Sequence[Wish], setups: Setups, *, now: datetime
) -> Sequence[Ask | MediciError]:
    """Return what each wish asks of the domain.

    The answer to one for no experiment is ``ExperimentNotFound``, to one for an experiment that
    does not run ``ExperimentInactive``.
    """
    # Looked up rather than believed: an experiment that is not kept may have just been started.
    unknown = {wish.experiment_id for wish in wishes} - setups.running.keys()
    known = {**setups.running, **await definitions(driver, unknown)} if unknown else setups.running
    found = [known.get(wish.experiment_id) for wish in wishes]
    running = [each for each in found if each and each.is_running]
    users = await _known(driver, {wish.user_id for wish in wishes}, running, now)
    return [_ask(wish, each, users) for wish, each in zip(wishes, found, strict=True)]


async def asks_of_all(
    driver: Driver, user_id: str, attributes: Attributes, setups: Setups, *, now: datetime
) -> Sequence[Ask]:
    """Return what one user asks of every running experiment."""
    running = setups.running.values()
    users = await _known(driver, {user_id}, running, now)
    return [
        Ask(
            user_id=user_id,
            definition=definition,
            attributes=users.added(user_id, attributes, definition),
        )
        for definition in running
    ]


async def _known(
    driver: Driver, user_ids: Collection[str], running: Iterable[Definition], now: datetime
) -> _Known:
    wanted = [definition.targeting for definition in running]
    plans = (
        await effective_plans(driver, kind=OwnerKind.USER, owner_ids=user_ids, now=now)
        if any(each.plan_ids for each in wanted)
        else {}
    )
    return _Known(
        plans={user_id: plan.plan_id for user_id, plan in plans.items()},
        arrived=await arrivals(driver, user_ids)
        if any(each.new_users_only for each in wanted)
        else {},
    )


def _ask(wish: Wish, definition: Definition | None, users: _Known) -> Ask | MediciError:
    if definition is None:
        return ExperimentNotFound("there is no such experiment")
    if not definition.is_running:
        return ExperimentInactive("the experiment does not run: use what is built in")
    return Ask(
        user_id=wish.user_id,
        definition=definition,
        attributes=users.added(wish.user_id, wish.attributes, definition),
        expose=wish.expose,
    )
