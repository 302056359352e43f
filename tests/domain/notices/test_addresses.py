"""Nothing is sent to an address inside somebody's network, however it is written."""

from uuid import UUID

from medici.domain.notices.letters import Letter, post
from medici.domain.notices.models import DeliveryStatus
from medici.kernel.net.client import OutgoingClient
from tests.attacks.addresses import TRICKY_URLS, private_hosts, private_ipv4, private_ipv6
from tests.domain.notices.conftest import OpenOffice
from tests.domain.notices.office import GRANTED, TAKEN
from tests.kernel.net.names import Names
from tests.kernel.net.recorder import connections
from tests.kernel.net.sites import sends_to, site


def letter(url: str) -> Letter:
    return Letter(endpoint_id=UUID(int=1), url=url, headers={}, body=b"{}")


class TestPost:
    async def test_never_connects_to_a_private_literal(self) -> None:
        urls = [f"https://{host}/" for host in private_hosts()] + list(TRICKY_URLS)
        with connections() as peers:
            async with OutgoingClient(lookup=Names()) as outgoing:
                answers = [await post(outgoing, letter(url)) for url in urls]

        assert peers == []
        assert all(str(answer.error).startswith("url_") for answer in answers)

    async def test_never_connects_to_a_private_answer_of_the_name_service(self) -> None:
        private = [str(address) for address in (*private_ipv4(), *private_ipv6())]
        names = Names(evil_example=[[address] for address in private])
        with connections() as peers:
            async with OutgoingClient(lookup=names) as outgoing:
                answers = [await post(outgoing, letter("https://evil.example/")) for _ in private]

        assert peers == []
        assert {answer.error for answer in answers} == {"url_non_public_target"}

    async def test_does_not_reach_what_only_the_operator_vouches_for(self) -> None:
        async with (
            site(TAKEN) as inside,
            OutgoingClient(allow=frozenset([inside.place])) as outgoing,
        ):
            answer = await post(outgoing, letter(inside.url))

        assert (answer.error, inside.requests) == ("url_non_public_target", [])

    async def test_follows_no_redirect(self) -> None:
        async with site(TAKEN) as inside, site(sends_to(inside.url)) as outside:
            allow = frozenset([inside.place, outside.place])
            async with OutgoingClient(allow_foreign=allow) as outgoing:
                answer = await post(outgoing, letter(outside.url))

        assert (answer.status_code, inside.requests) == (302, [])


class TestDelivery:
    async def test_to_a_name_that_has_turned_private_is_not_made(
        self, open_office: OpenOffice
    ) -> None:
        office = open_office(names=Names(evil_example=[["10.0.0.7"]]))
        endpoint_id = await office.listening("https://evil.example/hook")
        await office.announce(GRANTED)
        with connections() as peers:
            await office.work()

        delivery = await office.delivery(endpoint_id)
        assert peers == []
        assert (delivery.status, delivery.error) == (
            DeliveryStatus.PENDING,
            "url_non_public_target",
        )
