"""What a customer does, done within this process: come in, bring a photo, order, wait, collect."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from medici.adapters.providers.request import Operation, Tier
from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.identity.errors import UserDisabled
from medici.domain.identity.owner import Owner
from medici.domain.identity.service import ensure_user
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.views import balance
from medici.domain.pictures.intake import store_upload
from medici.domain.pictures.models import Picture, Purpose
from medici.domain.pictures.queries import pictures_by_id
from medici.domain.pictures.rules import FILES_PATH, UPLOAD_LIFETIME
from medici.domain.pictures.service import keep_picture
from medici.domain.rendering.models import RenderJob, RenderState
from medici.domain.rendering.queries import own_job
from medici.domain.rendering.rows import JobRow
from medici.domain.rendering.service.submit import ImageSource, RenderOrder, submit
from medici.kernel.errors import Kind, MediciError
from medici.resources import Resources

LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 1200.0  # longer than all attempts of a render may take

Watch = Callable[[RenderJob | JobRow], None]


class RenderNotDelivered(MediciError):
    """The render ended without a picture; its price went back."""

    kind = Kind.BAD_GATEWAY

    def __init__(self, job: RenderJob) -> None:
        super().__init__(job.error_message or f"the render is {job.state}")
        self.code = job.error_code or str(job.state)


class RenderUnfinished(MediciError):
    """Nobody finished the render in time."""

    kind = Kind.UNAVAILABLE
    code = "render_unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the picture shall become."""

    style_id: str
    project_id: str
    tier: Tier = Tier.PREVIEW
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A finished render and its picture."""

    job: RenderJob
    picture: Picture
    data: bytes


@dataclass(frozen=True, slots=True)
class Customer:
    """One user at the counter. Somebody must do the background work meanwhile."""

    resources: Resources
    user_id: str

    async def come_in(self) -> int:
        """Make the user on first sight, give today's credits, and return what can be spent.

        Raises:
            UserDisabled: this user may not come in any more.
        """
        now, owner = self.resources.now(), Owner.user(self.user_id)
        async with self.resources.database.transaction() as session:
            user = await ensure_user(session, user_id=self.user_id, now=now)
            if user.disabled_at is not None:
                raise UserDisabled
            await ensure_allowance(session, owner=owner, now=now)
            wallet_id = await open_wallet(session, owner=owner, now=now)
            return (await balance(session, wallet_id=wallet_id, now=now)).available

    async def bring(self, photo: bytes) -> Picture:
        """Upload a photo.

        Raises:
            PictureRefused: it is none that we take.
        """
        owner, now = Owner.user(self.user_id), self.resources.now()
        stored = await store_upload(
            photo, owner=owner, storage=self.resources.storage, images=self.resources.images
        )
        async with self.resources.database.transaction() as session:
            return await keep_picture(
                session,
                picture_id=stored.picture_id,
                owner=owner,
                purpose=Purpose.UPLOAD,
                facts=stored.facts,
                expires_at=now + UPLOAD_LIFETIME,
                now=now,
            )

    async def order(self, photo: Picture, wish: Wish) -> JobRow:
        """Submit a render of an uploaded photo.

        Raises:
            RenderRefused: credits or a preview are missing, or too much is in flight.
        """
        order = RenderOrder(
            project_id=wish.project_id,
            style_id=wish.style_id,
            operation=Operation.RESTYLE,
            image=ImageSource(url=FILES_PATH + photo.key, picture_id=photo.id),
            tier=wish.tier,
            wishes=(wish.words,) if wish.words else (),
            platform="cli",
        )
        async with self.resources.database.transaction() as session:
            return await submit(
                session,
                user_id=self.user_id,
                order=order,
                registered=self.resources.providers.able(
                    Operation.RESTYLE, wish.tier, masked=False
                ),
                now=self.resources.now(),
            )

    async def collect(self, job: JobRow, watch: Watch) -> Delivered:
        """Wait for the end of a render, telling each look, and fetch its picture.

        Raises:
            RenderNotDelivered: it failed.
            RenderUnfinished: it has no end yet.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                ended = await self._end(job, watch)
        except TimeoutError as error:
            raise RenderUnfinished(f"render {job.id} does not come to an end") from error
        if ended.state is not RenderState.SUCCEEDED or ended.output_id is None:
            raise RenderNotDelivered(ended)
        async with self.resources.database.reading() as session:
            picture = (await pictures_by_id(session, [ended.output_id]))[ended.output_id]
        data = await self.resources.storage.get(picture.key)
        return Delivered(job=ended, picture=picture, data=data)

    async def _end(self, queued: JobRow, watch: Watch) -> RenderJob:
        watch(queued)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            async with self.resources.database.reading() as session:
                job = await own_job(session, queued.id, user_id=self.user_id)
            if job.state.is_terminal:
                return job
            watch(job)
