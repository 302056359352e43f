"""Envelope encryption: a value opens with its key, in its place, unchanged, or not at all."""

from dataclasses import replace

import pytest

from medici.kernel.crypto import CannotDecrypt, Key, Place, UnknownKey, decrypt, encrypt, new_key

PLACE = Place(owner="organisation:7", table="connections", column="secret", row_id="42")
KEY = new_key("d1")


class TestEncrypt:
    @pytest.mark.parametrize("secret", ["", "sk-live-1", "schlüssel 🔑", "x" * 10_000])
    def test_comes_back_as_it_went(self, secret: str) -> None:
        assert decrypt(KEY, encrypt(KEY, secret, PLACE), PLACE) == secret

    def test_names_its_version_and_key_and_shows_nothing(self) -> None:
        sealed = encrypt(KEY, "sk-live-1", PLACE)

        version, key_id, nonce, ciphertext = sealed.split(".")
        assert (version, key_id, len(nonce)) == ("v1", "d1", 16)
        assert len(ciphertext) == 34  # 9 bytes of secret and 16 of tag
        assert "sk-live" not in sealed

    def test_never_seals_twice_alike(self) -> None:
        assert len({encrypt(KEY, "same", PLACE) for _ in range(100)}) == 100


class TestDecrypt:
    @pytest.mark.parametrize(
        "elsewhere",
        [
            replace(PLACE, owner="organisation:8"),
            replace(PLACE, owner="user:7"),
            replace(PLACE, table="endpoints"),
            replace(PLACE, column="other"),
            replace(PLACE, row_id="43"),
            replace(PLACE, owner="organisation:7|connections", table="secret", column="42"),
        ],
    )
    def test_opens_only_where_it_was_written(self, elsewhere: Place) -> None:
        sealed = encrypt(KEY, "secret", PLACE)

        with pytest.raises(CannotDecrypt):
            decrypt(KEY, sealed, elsewhere)

    def test_keeps_separators_inside_a_part_apart_from_those_between(self) -> None:
        sealed = encrypt(KEY, "secret", replace(PLACE, table="a|b", column="c"))

        with pytest.raises(CannotDecrypt):
            decrypt(KEY, sealed, replace(PLACE, table="a", column="b|c"))

    @pytest.mark.parametrize("secret", ["12", "123", "1234"])  # each length of base64's tail
    def test_refuses_each_changed_character(self, secret: str) -> None:
        sealed = encrypt(KEY, secret, PLACE)

        for at, old in enumerate(sealed):
            for new in "AQgw-_.= é\n":
                if new != old:
                    with pytest.raises((CannotDecrypt, UnknownKey)):
                        decrypt(KEY, sealed[:at] + new + sealed[at + 1 :], PLACE)

    def test_refuses_each_cut(self) -> None:
        sealed = encrypt(KEY, "secret", PLACE)

        for length in range(len(sealed)):
            with pytest.raises((CannotDecrypt, UnknownKey)):
                decrypt(KEY, sealed[:length], PLACE)

    def test_names_the_key_that_is_missing(self) -> None:
        sealed = encrypt(new_key("d2"), "secret", PLACE)

        with pytest.raises(UnknownKey) as unknown:
            decrypt(KEY, sealed, PLACE)

        assert unknown.value.key_id == "d2"


class TestKey:
    def test_hides_its_bytes(self) -> None:
        assert repr(Key("d1", b"s" * 32)) == "Key(id='d1')"

    @pytest.mark.parametrize("key_id", ["", "a.b", "a|b", "é", "x" * 65])
    def test_refuses_ids_that_would_confuse(self, key_id: str) -> None:
        with pytest.raises(ValueError, match="a key id is"):
            new_key(key_id)

    def test_refuses_another_length(self) -> None:
        with pytest.raises(ValueError, match="must be 32 bytes, not 16"):
            Key("d1", b"s" * 16)
