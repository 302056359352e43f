"""Tokens: made at random, stored as a hash, compared in constant time."""

import pytest

from medici.kernel.tokens import hash_token, new_token, same_secret


class TestNewToken:
    def test_carries_256_bits_behind_its_prefix(self) -> None:
        token = new_token("lc_")

        assert token.startswith("lc_")
        assert len(token) == 3 + 43  # 43 characters of 6 bits

    def test_never_repeats(self) -> None:
        assert len({new_token() for _ in range(1000)}) == 1000


class TestHashToken:
    def test_is_sha256_in_hex(self) -> None:
        assert hash_token("abc") == (
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )

    def test_takes_what_is_no_valid_unicode(self) -> None:
        assert hash_token("\ud800") != hash_token("\udfff")


class TestSameSecret:
    @pytest.mark.parametrize(
        ("left", "right"), [("key", "key"), (b"key", "key"), ("schlüssel", "schlüssel".encode())]
    )
    def test_knows_equals(self, left: str | bytes, right: str | bytes) -> None:
        assert same_secret(left, right)

    @pytest.mark.parametrize("other", ["kez", "ke", "key ", "KEY", "", "kéy", "\ud800", b"\xff"])
    def test_knows_others(self, other: str | bytes) -> None:
        assert not same_secret("key", other)
