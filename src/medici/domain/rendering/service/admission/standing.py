"""What a batch of orders is decided on, locked and read by a handful of statements."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from medici.adapters.providers.request import Tier
from medici.domain.assignments.definition import Definition
from medici.domain.assignments.variables import HOLDOUT_PERCENT
from medici.domain.billing import queries as billing
from medici.domain.billing.allowance import ResetSchedule, Window
from medici.domain.billing.queries import EffectivePlan
from medici.domain.identity.models import User
from medici.domain.identity.owner import OwnerKind
from medici.domain.ledger.book import Book
from medici.domain.ledger.decisions import NewHold
from medici.domain.ledger.service.books import open_books
from medici.domain.pictures.models import Picture
from medici.domain.plans import queries as plans
from medici.domain.plans.variables import DAILY_CREDIT_LIMIT_ENABLED, Variables
from medici.domain.rendering.models import IN_FLIGHT, RenderJob, RenderState
from medici.domain.rendering.orders import Application
from medici.domain.routing import queries as routing
from medici.domain.routing.measurements import outlook_now
from medici.domain.routing.outlook import UNKNOWN, Outlook
from medici.domain.routing.queries import PublishedSettings
from medici.domain.routing.treating import Visitor, provider_tests, treatments
from medici.domain.routing.treatment import Treatment
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver

# The weaker lock, since every row that points at the user takes a share of it.
LOCK_USERS = Query(
    select(User.id, User.created_at)
    .where(any_of(User.id, "users"))
    .order_by(User.id)
    .with_for_update(key_share=True)
)
LOCK_PICTURES = Query(
    select(Picture.id, Picture.owner_id, Picture.expires_at)
    .where(any_of(Picture.id, "pictures"), Picture.owner_kind == OwnerKind.USER)
    .order_by(Picture.id)
    .with_for_update(key_share=True)  # every row that points at one takes a share
)
IN_FLIGHT_COUNTS = Query(
    select(RenderJob.user_id, func.count().label("many"))
    .where(any_of(RenderJob.user_id, "users"), IN_FLIGHT)
    .group_by(RenderJob.user_id)
)
PREVIEWS = Query(
    select(RenderJob.user_id, RenderJob.project_id, RenderJob.style_id)
    .where(
        any_of(RenderJob.user_id, "users"),
        any_of(RenderJob.project_id, "projects"),
        any_of(RenderJob.style_id, "styles"),
        RenderJob.tier == Tier.PREVIEW,
        RenderJob.state == RenderState.SUCCEEDED,
    )
    .distinct()
)


@dataclass(frozen=True, slots=True)
class Upload:
    """Whose a picture is, and until when it is kept unless a job needs it."""

    owner_id: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What holds for every order of a batch."""

    variables: Variables
    published: PublishedSettings
    tests: Sequence[Definition]  # of providers
    outlook: Outlook
    schedule: ResetSchedule
    window: Window
    styles: dict[str, str]

    @property
    def charges(self) -> bool:
        """Tell whether renders cost credits."""
        return self.variables[DAILY_CREDIT_LIMIT_ENABLED]


@dataclass(slots=True, kw_only=True)
class Standing:
    """How the users of a batch stand; each decision leaves its marks here for the next."""

    now: datetime
    common: Common
    plans: dict[str, EffectivePlan]
    treatments: dict[str, Treatment]
    books: dict[str, Book]
    allowances: dict[UUID, dict[str, int]]
    in_flight: Counter[str]
    previews: set[tuple[str, str, str]]
    uploads: dict[UUID, Upload]
    holds: list[NewHold] = field(default_factory=list)
    used: set[UUID] = field(default_factory=set)


async def read(driver: Driver, applications: Sequence[Application], *, now: datetime) -> Standing:
    """Lock the users, wallets and uploads of a batch and read what its decisions need.

    Locks are taken in one order by everybody: users, wallets, uploads, each by ascending id.
    """
    users = sorted({application.user_id for application in applications})
    known_since = {row.id: row.created_at for row in await LOCK_USERS.rows(driver, users=users)}
    common = await _common(driver, applications, now)
    effective = await billing.effective_plans(driver, kind=OwnerKind.USER, owner_ids=users, now=now)
    books = await open_books(
        driver,
        kind=OwnerKind.USER,
        owner_ids=[user for user in users if _needs_wallet(common, effective[user])],
        now=now,
    )
    return Standing(
        now=now,
        common=common,
        plans=effective,
        treatments=await treatments(
            driver,
            common.tests,
            _visitors(applications, effective, known_since),
            holdout_percent=common.variables[HOLDOUT_PERCENT],
            now=now,
        )
        if common.tests
        else {},
        books=books,
        allowances=await billing.allowances_of_many(
            driver,
            wallet_ids=[book.wallet_id for book in books.values()],
            day=common.window.schedule_date,
        ),
        in_flight=await _in_flight(driver, users),
        previews=await _previews(driver, applications),
        uploads=await _uploads(driver, applications),
    )


def _needs_wallet(common: Common, plan: EffectivePlan) -> bool:
    return common.charges or (common.schedule.enabled and plan.daily_credits > 0)


async def _common(driver: Driver, applications: Sequence[Application], now: datetime) -> Common:
    schedule = await billing.schedule_now(driver)
    styles = {application.order.style_id for application in applications}
    published = await routing.published_now(driver)
    tests = await provider_tests(driver, now=now)
    return Common(
        variables=await plans.variables_now(driver),
        published=published,
        tests=tests,
        outlook=await outlook_now(driver, now=now) if published.compares or tests else UNKNOWN,
        schedule=schedule,
        window=schedule.window(now),
        styles=await plans.style_words(driver, styles),
    )


def _visitors(
    applications: Sequence[Application],
    effective: Mapping[str, EffectivePlan],
    known_since: Mapping[str, datetime],
) -> dict[str, Visitor]:
    """Return what tests of providers may ask of each user, by the first order of a batch."""
    return {
        each.user_id: Visitor(
            platform=each.order.platform,
            plan_id=effective[each.user_id].plan_id,
            known_since=known_since[each.user_id],
        )
        for each in reversed(applications)
    }


async def _in_flight(driver: Driver, users: Collection[str]) -> Counter[str]:
    rows = await IN_FLIGHT_COUNTS.rows(driver, users=users)
    return Counter({row.user_id: row.many for row in rows})


async def _previews(
    driver: Driver, applications: Sequence[Application]
) -> set[tuple[str, str, str]]:
    finals = [each for each in applications if each.order.tier is Tier.FINAL]
    if not finals:
        return set()
    rows = await PREVIEWS.rows(
        driver,
        users={final.user_id for final in finals},
        projects={final.order.project_id for final in finals},
        styles={final.order.style_id for final in finals},
    )
    return {(row.user_id, row.project_id, row.style_id) for row in rows}


async def _uploads(driver: Driver, applications: Sequence[Application]) -> dict[UUID, Upload]:
    named = {picture for each in applications for picture in each.order.picture_ids}
    if not named:
        return {}
    rows = await LOCK_PICTURES.rows(driver, pictures=named)
    return {row.id: Upload(row.owner_id, row.expires_at) for row in rows}
