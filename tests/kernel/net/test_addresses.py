"""Which addresses are public."""

import pytest

from medici.kernel.net.addresses import is_public
from tests.attacks.addresses import PUBLIC, private_ipv4, private_ipv6


class TestIsPublic:
    def test_refuses_every_private_ipv4_address(self) -> None:
        assert [address for address in private_ipv4() if is_public(address)] == []

    def test_refuses_every_private_ipv6_address_and_every_disguise(self) -> None:
        assert [address for address in private_ipv6() if is_public(address)] == []

    @pytest.mark.parametrize("address", PUBLIC)
    def test_takes_the_public_ones(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize("text", ["", "localhost", "127.1", "2606:4700::1%eth0", "8.8.8.8 "])
    def test_refuses_what_is_no_address(self, text: str) -> None:
        assert not is_public(text)
