"""Signatures, held against the library that receivers use."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from medici.domain.notices.signing import Secret, new_secret, opened, signed_headers
from medici.kernel.clock import system_clock
from medici.kernel.crypto import CannotDecrypt
from tests.domain.notices.office import KEYS

HERE, ELSEWHERE = UUID(int=1), UUID(int=2)
NOTICE = UUID(int=3)
BODY = b'{"type":"credits.low"}'


def headers(*secrets: Secret, age: timedelta = timedelta(0)) -> dict[str, str]:
    keys = [opened(KEYS, secret.sealed, HERE) for secret in secrets]
    signed = signed_headers(notice_id=NOTICE, body=BODY, secrets=keys, now=system_clock() - age)
    return dict(signed)


def altered(body: bytes) -> Iterator[bytes]:
    """Change each byte of a body, and add and take some."""
    for place, byte in enumerate(body):
        yield body[:place] + bytes([byte ^ 1]) + body[place + 1 :]
    yield from (body[:-1], body + b" ", b"\xef\xbb\xbf" + body, b"")


class TestNewSecret:
    def test_is_256_random_bits_as_the_scheme_writes_them(self) -> None:
        one, other = new_secret(KEYS, HERE), new_secret(KEYS, HERE)

        assert one.text.startswith("whsec_")
        assert len(base64.b64decode(one.text.removeprefix("whsec_"), validate=True)) == 32
        assert one.text != other.text
        assert one.last4 == one.text[-4:]

    def test_shows_in_no_representation(self) -> None:
        secret = new_secret(KEYS, HERE)

        assert secret.text not in repr(secret)
        assert secret.text.removeprefix("whsec_") not in secret.sealed

    def test_opens_only_for_its_endpoint(self) -> None:
        secret = new_secret(KEYS, HERE)

        with pytest.raises(CannotDecrypt):
            opened(KEYS, secret.sealed, ELSEWHERE)


class TestSignedHeaders:
    def test_are_found_genuine(self) -> None:
        secret = new_secret(KEYS, HERE)

        assert Webhook(secret.text).verify(BODY, headers(secret)) == {"type": "credits.low"}

    def test_are_what_the_library_itself_signs(self) -> None:
        secret, now = new_secret(KEYS, HERE), system_clock()
        key = opened(KEYS, secret.sealed, HERE)

        made = signed_headers(notice_id=NOTICE, body=BODY, secrets=[key], now=now)

        assert made["webhook-signature"] == Webhook(secret.text).sign(
            made["webhook-id"], now, BODY.decode()
        )

    def test_are_good_for_both_secrets_of_a_rotation_and_no_other(self) -> None:
        new, old, other = (new_secret(KEYS, HERE) for _ in range(3))
        made = headers(new, old)

        Webhook(new.text).verify(BODY, made)
        Webhook(old.text).verify(BODY, made)
        with pytest.raises(WebhookVerificationError):
            Webhook(other.text).verify(BODY, made)

    def test_are_good_for_no_other_body(self) -> None:
        secret = new_secret(KEYS, HERE)
        made = headers(secret)

        for body in altered(BODY):
            with pytest.raises(WebhookVerificationError):
                Webhook(secret.text).verify(body, made, json_parse=False)

    @pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    def test_are_good_only_together(self, name: str) -> None:
        secret = new_secret(KEYS, HERE)
        made = headers(secret)

        for changed in (f"{made[name][:-8]}00000000", ""):
            with pytest.raises(WebhookVerificationError):
                Webhook(secret.text).verify(BODY, {**made, name: changed})

    @pytest.mark.parametrize(("seconds", "good"), [(290, True), (-290, True), (310, False)])
    def test_are_good_for_five_minutes(self, seconds: int, good: bool) -> None:
        secret = new_secret(KEYS, HERE)
        made = headers(secret, age=timedelta(seconds=seconds))

        try:
            Webhook(secret.text).verify(BODY, made)
        except WebhookVerificationError:
            assert not good
        else:
            assert good
