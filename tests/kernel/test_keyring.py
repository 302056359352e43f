"""The key ring: the first key seals, every key opens, a missing one is named."""

import base64
from pathlib import Path

import pytest

from medici.kernel.crypto import CannotDecrypt, Key, UnknownKey, new_key
from medici.kernel.keyring import InvalidKeys, KeyRing

OLD, NEW = Key("k1", b"1" * 32), Key("k2", b"2" * 32)
BEFORE, DURING, AFTER = KeyRing((OLD,)), KeyRing((NEW, OLD)), KeyRing((NEW,))


def encoded(key: Key) -> str:
    return base64.b64encode(key.secret).decode()


TWICE = f"k1:{encoded(OLD)},k1:{encoded(NEW)}"


class TestParse:
    def test_reads_a_list_newest_first(self) -> None:
        assert KeyRing.parse(f"k2:{encoded(NEW)}, k1:{encoded(OLD)}") == DURING

    def test_reads_one_bare_key(self) -> None:
        assert KeyRing.parse(encoded(OLD)) == BEFORE

    def test_reads_the_url_safe_alphabet_too(self) -> None:
        secret = b"\xfb\xff" * 16

        ring = KeyRing.parse("k1:" + base64.urlsafe_b64encode(secret).decode().rstrip("="))

        assert ring.current.secret == secret

    @pytest.mark.parametrize(
        "text",
        ["", " , ", "k1:", "k1:short", "k1:&&&", "k1:é", "k.1:" + "A" * 43, "A" * 42, TWICE],
    )
    def test_refuses_the_unusable_without_quoting_it(self, text: str) -> None:
        with pytest.raises(InvalidKeys) as refused:
            KeyRing.parse(text)

        assert encoded(OLD) not in str(refused.value)

    def test_hides_the_secrets(self) -> None:
        assert repr(DURING) == "KeyRing(keys=(Key(id='k2'), Key(id='k1')))"


class TestLoadOrCreate:
    def test_makes_a_private_file_once(self, tmp_path: Path) -> None:
        path = tmp_path / "data" / "keys"

        made = KeyRing.load_or_create(path)

        assert KeyRing.load_or_create(path) == made
        assert path.stat().st_mode & 0o777 == 0o600
        assert list(path.parent.iterdir()) == [path]


class TestWrap:
    def test_opens_for_its_owner_alone(self) -> None:
        dek = new_key("d1")
        record = BEFORE.wrap(dek, "user:1")

        assert BEFORE.unwrap(record, "user:1", "d1") == dek
        for owner, dek_id in [("user:2", "d1"), ("user:1", "d2")]:
            with pytest.raises(CannotDecrypt):
                BEFORE.unwrap(record, owner, dek_id)

    def test_survives_a_rotation(self) -> None:
        dek = new_key("d1")
        record = BEFORE.wrap(dek, "user:1")

        renewed = DURING.rewrap(record, "user:1", "d1")

        assert DURING.unwrap(record, "user:1", "d1") == dek
        assert AFTER.unwrap(renewed, "user:1", "d1") == dek
        assert DURING.rewrap(renewed, "user:1", "d1") == renewed
        with pytest.raises(UnknownKey) as unknown:
            AFTER.unwrap(record, "user:1", "d1")
        assert unknown.value.key_id == "k1"


class TestDerive:
    def test_gives_a_key_per_purpose_in_ring_order(self) -> None:
        (old,), (new, still_old) = BEFORE.derive("urls"), DURING.derive("urls")

        assert (len(old), old) == (32, still_old)
        assert len({old, new, *DURING.derive("cookies"), OLD.secret, NEW.secret}) == 6
