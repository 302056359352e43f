"""What a batch of orders is decided on, locked and read by a handful of statements."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.request import Tier
from medici.domain.billing import queries as billing
from medici.domain.billing.allowance import ResetSchedule, Window, allowance_window
from medici.domain.billing.queries import EffectivePlan
from medici.domain.identity.models import User
from medici.domain.identity.owner import OwnerKind
from medici.domain.ledger.book import Book
from medici.domain.ledger.decisions import NewHold
from medici.domain.ledger.service.books import open_books
from medici.domain.pictures.models import Picture
from medici.domain.plans import queries as plans
from medici.domain.plans.models import Style
from medici.domain.plans.variables import DAILY_CREDIT_LIMIT_ENABLED, Variables
from medici.domain.rendering.models import IN_FLIGHT, RenderJob, RenderState
from medici.domain.rendering.orders import Application
from medici.domain.routing import queries as routing
from medici.domain.routing.queries import PublishedSettings
from medici.kernel.db.padding import padded

# The weaker lock, since every row that points at the user takes a share of it.
LOCK_USERS = (
    select(User.id)
    .where(User.id.in_(bindparam("users", expanding=True)))
    .order_by(User.id)
    .with_for_update(key_share=True)
)
LOCK_PICTURES = (
    select(Picture.id, Picture.owner_id, Picture.expires_at)
    .where(
        Picture.id.in_(bindparam("pictures", expanding=True)), Picture.owner_kind == OwnerKind.USER
    )
    .order_by(Picture.id)
    .with_for_update()
)
IN_FLIGHT_COUNTS = (
    select(RenderJob.user_id, func.count().label("many"))
    .where(RenderJob.user_id.in_(bindparam("users", expanding=True)), IN_FLIGHT)
    .group_by(RenderJob.user_id)
)
PREVIEWS = (
    select(RenderJob.user_id, RenderJob.project_id, RenderJob.style_id)
    .where(
        RenderJob.user_id.in_(bindparam("users", expanding=True)),
        RenderJob.project_id.in_(bindparam("projects", expanding=True)),
        RenderJob.style_id.in_(bindparam("styles", expanding=True)),
        RenderJob.tier == Tier.PREVIEW,
        RenderJob.state == RenderState.SUCCEEDED,
    )
    .distinct()
)
STYLE_WORDS = select(Style.style_id, Style.prompt).where(
    Style.style_id.in_(bindparam("styles", expanding=True))
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
    books: dict[str, Book]
    allowances: dict[UUID, dict[str, int]]
    in_flight: Counter[str]
    previews: set[tuple[str, str, str]]
    uploads: dict[UUID, Upload]
    holds: list[NewHold] = field(default_factory=list)
    used: set[UUID] = field(default_factory=set)


async def read(
    session: AsyncSession, applications: Sequence[Application], *, now: datetime
) -> Standing:
    """Lock the users, wallets and uploads of a batch and read what its decisions need.

    Locks are taken in one order by everybody: users, wallets, uploads, each by ascending id.
    """
    users = sorted({application.user_id for application in applications})
    await session.execute(LOCK_USERS, {"users": padded(users)})
    common = await _common(session, applications, now)
    effective = await billing.effective_plans(
        session, kind=OwnerKind.USER, owner_ids=users, now=now
    )
    books = await open_books(
        session,
        kind=OwnerKind.USER,
        owner_ids=[user for user in users if _needs_wallet(common, effective[user])],
        now=now,
    )
    return Standing(
        now=now,
        common=common,
        plans=effective,
        books=books,
        allowances=await billing.allowances_of_many(
            session,
            wallet_ids=[book.wallet_id for book in books.values()],
            day=common.window.schedule_date,
        ),
        in_flight=await _in_flight(session, users),
        previews=await _previews(session, applications),
        uploads=await _uploads(session, applications),
    )


def _needs_wallet(common: Common, plan: EffectivePlan) -> bool:
    return common.charges or (common.schedule.enabled and plan.daily_credits > 0)


async def _common(
    session: AsyncSession, applications: Sequence[Application], now: datetime
) -> Common:
    schedule = await billing.reset_schedule(session)
    styles = {application.order.style_id for application in applications}
    words = await session.execute(STYLE_WORDS, {"styles": padded(styles)})
    return Common(
        variables=await plans.load_variables(session),
        published=await routing.published(session),
        schedule=schedule,
        window=allowance_window(now, schedule.hour, schedule.minute),
        styles={row.style_id: row.prompt for row in words},
    )


async def _in_flight(session: AsyncSession, users: Collection[str]) -> Counter[str]:
    rows = await session.execute(IN_FLIGHT_COUNTS, {"users": padded(users)})
    return Counter({row.user_id: row.many for row in rows})


async def _previews(
    session: AsyncSession, applications: Sequence[Application]
) -> set[tuple[str, str, str]]:
    finals = [each for each in applications if each.order.tier is Tier.FINAL]
    if not finals:
        return set()
    wanted = {
        "users": padded({final.user_id for final in finals}),
        "projects": padded({final.order.project_id for final in finals}),
        "styles": padded({final.order.style_id for final in finals}),
    }
    rows = await session.execute(PREVIEWS, wanted)
    return {(row.user_id, row.project_id, row.style_id) for row in rows}


async def _uploads(
    session: AsyncSession, applications: Sequence[Application]
) -> dict[UUID, Upload]:
    named = {picture for each in applications for picture in each.order.picture_ids}
    if not named:
        return {}
    rows = await session.execute(LOCK_PICTURES, {"pictures": padded(named)})
    return {row.id: Upload(row.owner_id, row.expires_at) for row in rows}
