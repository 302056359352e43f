"""Puts a drawn world into a database, and its wishes into the words of customers."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Source
from medici.adapters.providers.request import Operation, Tier
from medici.domain.billing.models import (
    EntitlementRow,
    EntitlementStatus,
    ResetScheduleRow,
)
from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.identity.service import ensure_user
from medici.domain.ledger.models import GrantSource, Wallet
from medici.domain.ledger.service.grants import issue_grant
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.values import GrantTerms, Memo
from medici.domain.pictures.models import Purpose
from medici.domain.pictures.service import PictureFacts, keep_picture
from medici.domain.plans.models import Plan, Variable
from medici.domain.rendering.models import RenderJob, RenderState
from medici.domain.rendering.orders import Application, ImageSource, RenderOrder
from medici.domain.routing.models import ProviderSettingsVersion
from medici.domain.routing.settings import CostControls, Models, ProviderSettings, Route
from medici.kernel.ids import new_id
from tests.domain.rendering.admission.worlds import (
    GENEROUS,
    PROVIDERS,
    WITHDRAWN,
    Allowance,
    Customer,
    Gift,
    Life,
    Named,
    Wish,
    World,
)
from tests.doors.support import NOW

EARLIER = NOW - timedelta(hours=1)
MEMO = Memo(actor="test", reason="test")
FACTS = PictureFacts(content_type="image/jpeg", width=64, height=48, size_bytes=1)
FOREIGN = "https://example.com/room.jpg"
EXPIRES: dict[Life, datetime | None] = {
    "fresh": NOW + timedelta(hours=1),
    "kept": None,
    "over": NOW - timedelta(hours=1),
    "ending": NOW,
}


async def add_plans(session: AsyncSession) -> None:
    """Add a plan that costs nothing for previews, and one that is not sold any more."""
    for plan_id, active in ((GENEROUS, True), (WITHDRAWN, False)):
        session.add(
            Plan(
                plan_id=plan_id,
                display_name=plan_id,
                is_active=active,
                daily_credits=0,
                preview_cost_credits=0,
                final_cost_credits=3,
                monthly_price_cents=0,
                features=[],
                updated_at=NOW,
            )
        )


async def arrange(session: AsyncSession, world: World) -> list[Application]:
    """Make the world; return its wishes as applications, in their order."""
    await _settings(session, world)
    pictures = []
    for number, customer in enumerate(world.customers):
        await _customer(session, _name(number), customer)
        pictures.append([await _upload(session, _name(number), life) for life in customer.uploads])
    return [_application(wish, pictures) for wish in world.wishes]


def _name(number: int) -> str:
    return f"customer-{number}"


async def _settings(session: AsyncSession, world: World) -> None:
    values = {
        "daily_credit_limit_enabled": world.charges,
        "max_jobs_in_flight_per_user": world.most_in_flight,
    }
    for key, value in values.items():
        await session.execute(update(Variable).where(Variable.key == key).values(value=value))
    session.add(
        ResetScheduleRow(
            enabled=world.gives_allowances, reset_hour_utc=world.reset_hour, reset_minute_utc=0
        )
    )
    session.add(
        ProviderSettingsVersion(
            version=1,
            content=_published(world).model_dump(mode="json"),
            actor="test",
            reason="test",
            created_at=EARLIER,
        )
    )


def _published(world: World) -> ProviderSettings:
    return ProviderSettings(
        default_provider="sculptor",
        enabled_providers=tuple(sorted(world.enabled)),
        fallback_chain=PROVIDERS,
        operation_routes={
            Operation.RESTYLE: Route(preview_provider="painter", final_provider="sculptor")
        },
        part_routes={},
        provider_models={
            name: Models(preview_model=f"{name}-small", final_model=f"{name}-large")
            for name in PROVIDERS
        },
        cost_controls=CostControls(preview_required_before_final=world.previews_first),
    )


async def _customer(session: AsyncSession, name: str, customer: Customer) -> None:
    await ensure_user(session, user_id=name, now=EARLIER)
    if customer.plan is not None:
        session.add(_entitlement(name, customer.plan, subscribed=customer.subscribed))
    if customer.has_wallet:
        await _wallet(session, name, customer)
    for _ in range(customer.running):
        session.add(_job(name, "modern", RenderState.RUNNING))
    for style in sorted(customer.previews):
        session.add(_job(name, style, RenderState.SUCCEEDED))


def _entitlement(name: str, plan: str, *, subscribed: bool) -> EntitlementRow:
    return EntitlementRow(
        owner_kind=OwnerKind.USER,
        owner_id=name,
        plan_id=plan,
        status=EntitlementStatus.ACTIVE if subscribed else EntitlementStatus.EXPIRED,
        source=Source.MANUAL,
        details={},
        updated_at=EARLIER,
    )


async def _wallet(session: AsyncSession, name: str, customer: Customer) -> None:
    at = NOW + timedelta(minutes=5) if customer.ahead else EARLIER
    wallet_id = await open_wallet(session, owner=Owner.user(name), now=at)
    gifts = [_gift(name, number, gift) for number, gift in enumerate(customer.gifts)]
    for terms in [*gifts, *map(_allowance, customer.allowances)]:
        await issue_grant(session, wallet_id=wallet_id, terms=terms, memo=MEMO, now=at)
    if customer.parked:
        parked = update(Wallet).where(Wallet.id == wallet_id).values(parked_at=at)
        await session.execute(parked)


def _gift(name: str, number: int, gift: Gift) -> GrantTerms:
    return GrantTerms(
        source=gift.source,
        source_ref=f"{name}:{number}",
        amount=gift.amount,
        priority=gift.priority,
        effective_at=None if gift.begins is None else NOW + gift.begins,
        expires_at=None if gift.ends is None else NOW + gift.ends,
    )


def _allowance(given: Allowance) -> GrantTerms:
    day = (NOW - timedelta(days=given.days_ago)).date().isoformat()
    return GrantTerms(
        source=GrantSource.PLAN_DAILY,
        source_ref=f"{day}:{given.topped_up_for}" if given.topped_up_for else day,
        amount=given.amount,
        expires_at=NOW + given.ends,
    )


def _job(name: str, style: str, state: RenderState) -> RenderJob:
    return RenderJob(
        id=new_id(),
        user_id=name,
        project_id="home",
        style_id=style,
        operation=Operation.RESTYLE,
        tier=Tier.PREVIEW,
        target_parts=[],
        image_url=FOREIGN,
        prompt="a room",
        wishes=[],
        max_pixels=1,
        plan_id="free",
        credits=0,
        settings_version=1,
        candidates=[],
        state=state,
        provider="painter",
        provider_model="painter-small",
        created_at=EARLIER,
        updated_at=EARLIER,
    )


async def _upload(session: AsyncSession, name: str, life: Life) -> UUID:
    picture = await keep_picture(
        session,
        picture_id=new_id(),
        owner=Owner.user(name),
        purpose=Purpose.UPLOAD,
        facts=FACTS,
        expires_at=EXPIRES[life],
        now=EARLIER,
    )
    return picture.id


def _application(wish: Wish, pictures: list[list[UUID]]) -> Application:
    order = RenderOrder(
        project_id="home",
        style_id=wish.style,
        operation=wish.operation,
        image=_source(wish.image, wish.customer, pictures) or ImageSource(url=FOREIGN),
        mask=_source(wish.mask, wish.customer, pictures),
        tier=wish.tier,
        target_parts=(wish.part,),
    )
    return Application(
        job_id=new_id(),
        user_id=_name(wish.customer),
        order=order,
        registered=wish.registered,
    )


def _source(named: Named | None, customer: int, pictures: list[list[UUID]]) -> ImageSource | None:
    if named is None:
        return None
    there = pictures[(customer + named.foreign) % len(pictures)]
    return ImageSource(url="an upload", picture_id=there[named.number % len(there)])
