"""Secrets follow the newest key of the installation, and never leave their endpoint."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from structlog.testing import capture_logs

from medici.domain.notices.models import DeliveryStatus, WebhookEndpoint
from medici.domain.notices.service.endpoints import rotate_secret
from medici.domain.notices.work import SWEEP
from medici.jobs.queue import enqueue
from medici.kernel.crypto import key_id_of
from medici.kernel.keyring import KeyRing
from tests.domain.notices.conftest import OpenOffice
from tests.domain.notices.office import GRANTED, KEYS, TAKEN, Office, told
from tests.kernel.net.sites import site

OLD, NEW = "k1:" + "A" * 43, "k2:" + "B" * 42 + "A"
ROTATING, ROTATED = KeyRing.parse(f"{NEW},{OLD}"), KeyRing.parse(NEW)


async def sweep(office: Office) -> None:
    async with office.database.transaction() as session:
        await enqueue(session, SWEEP, now=office.clock(), args={})
    await office.work()


async def put_secret(office: Office, endpoint_id: UUID, sealed: str) -> None:
    async with office.database.transaction() as session:
        (await session.get_one(WebhookEndpoint, endpoint_id)).secret = sealed


class TestRotationOfKeys:
    async def test_leaves_nothing_under_the_old_key(self, open_office: OpenOffice) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            endpoint, old = await office.endpoint(here.url)
            async with office.database.transaction() as session:
                _, new = await rotate_secret(
                    session,
                    endpoint.id,
                    keys=KEYS,
                    overlap=timedelta(days=1),
                    now=office.clock(),
                )
            await sweep(replace(office, keys=ROTATING))
            state = await office.state(endpoint.id)
            await office.announce(GRANTED)
            await replace(office, keys=ROTATED).work()

        assert key_id_of(state.secret) == key_id_of(state.previous_secret or "") == "k2"
        (request,) = here.requests
        assert told(request, old) == told(request, new.text)

    async def test_tells_of_a_secret_that_it_cannot_read_and_goes_on(
        self, open_office: OpenOffice
    ) -> None:
        office = open_office()
        lost = await office.listening("https://files.example/1")
        kept = await office.listening("https://files.example/2")
        await put_secret(office, lost, (await office.state(kept)).secret)

        with capture_logs() as logs:
            await sweep(replace(office, keys=ROTATING))

        assert [
            (line["event"], line["endpoint_id"], line["error_code"])
            for line in logs
            if line["log_level"] == "error"
        ] == [("webhook_endpoint.secret_unreadable", str(lost), "cannot_decrypt")]
        assert key_id_of((await office.state(kept)).secret) == "k2"


class TestSecretThatCannotBeRead:
    async def test_is_tried_with_patience_and_then_given_up(self, open_office: OpenOffice) -> None:
        async with site(TAKEN) as here:
            office = open_office(here)
            endpoint_id = await office.listening(here)
            await office.announce(GRANTED)
            await replace(office, keys=ROTATED).work()
            assert (await office.delivery(endpoint_id)).status is DeliveryStatus.PENDING

            for _ in range(25):
                office.clock.advance(timedelta(minutes=6))
                await replace(office, keys=ROTATED).work()

        delivery = await office.delivery(endpoint_id)
        assert here.requests == []
        assert (delivery.status, delivery.error) == (
            DeliveryStatus.FAILED,
            "unknown_encryption_key",
        )
