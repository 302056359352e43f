"""The sample photo, rendered for the demo user."""

from medici.cli.customer import Customer, Wish
from medici.cli.process import at_work, development_settings
from medici.cli.render import report, watching, written
from medici.cli.samples import SAMPLE
from medici.domain.identity.owner import Owner
from medici.domain.identity.principal import SYSTEM
from medici.domain.identity.service import record_audit
from medici.domain.ledger.models import GrantSource
from medici.domain.ledger.service.grants import issue_grant
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.values import GrantTerms, Memo
from medici.domain.pictures.models import Picture
from medici.domain.pictures.rules import EXTENSIONS
from medici.domain.plans.queries import active_styles
from medici.kernel.ids import new_id
from medici.resources import Resources
from medici.worker import embedded

USER = "demo"
PROJECT = "demo-bedroom"
CREDITS = 20  # so that no demo ends for want of them
REASON = "demo_renders"


async def demo(style: str | None) -> None:
    """Render the sample photo in one style, or in all of them."""
    settings = development_settings()
    async with at_work(settings) as resources, embedded(resources):
        customer = Customer(resources, USER)
        await provide_credits(customer)
        photo = await customer.bring(SAMPLE.read_bytes())
        for style_id in await _all_styles(resources) if style is None else [style]:
            await _show(customer, photo, style_id)


async def provide_credits(customer: Customer) -> None:
    """Let the demo user have enough credits, by a grant that is audited as any other is."""
    available = await customer.come_in()
    if available >= CREDITS:
        return
    resources, now = customer.resources, customer.resources.now()
    terms = GrantTerms(
        source=GrantSource.PROMO, source_ref=str(new_id()), amount=CREDITS - available
    )
    async with resources.database.transaction() as session:
        wallet_id = await open_wallet(session, owner=Owner.user(customer.user_id), now=now)
        memo = Memo(actor=SYSTEM.actor, reason=REASON)
        await issue_grant(session, wallet_id=wallet_id, terms=terms, memo=memo, now=now)
        await record_audit(
            session,
            action="credits_granted",
            operator=SYSTEM,
            reason=REASON,
            target=("user", customer.user_id),
            after={"amount": terms.amount},
            now=now,
        )


async def _show(customer: Customer, photo: Picture, style_id: str) -> None:
    before = await customer.come_in()
    with watching() as watch:
        job = await customer.order(photo, Wish(style_id=style_id, project_id=PROJECT))
        delivered = await customer.collect(job, watch)
    ending = EXTENSIONS[delivered.picture.content_type]
    folder = customer.resources.settings.medici_data_dir / "demo"
    path = written(delivered, folder / f"{SAMPLE.stem}-{style_id}.{ending}")
    report(delivered, path, before=before, after=await customer.come_in())


async def _all_styles(resources: Resources) -> list[str]:
    async with resources.database.reading() as session:
        return [style.style_id for style in await active_styles(session)]
