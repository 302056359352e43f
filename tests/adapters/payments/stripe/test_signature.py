"""Which events are Stripe's."""

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from medici.adapters.payments.errors import MessageUnreadable, SignatureRefused
from medici.adapters.payments.stripe.events import StripeEvents
from tests.support.stripe import ATTACKS, NOW, SECRET, WHEN, Alter, event, header, mac, signed

RAW = event("customer.created", {"id": "cus_1", "object": "customer"})
EVENTS = StripeEvents(secrets=(SECRET,))


def is_believed(raw: bytes, text: str | None, *, events: StripeEvents = EVENTS) -> bool:
    try:
        events.open(raw, text, now=NOW)
    except SignatureRefused:
        return False
    return True


class TestVerify:
    def test_believes_what_the_secret_signed(self) -> None:
        assert EVENTS.open(RAW, header(RAW), now=NOW).id == "evt_1"

    def test_believes_what_the_vendors_library_signed(self) -> None:
        signature = stripe.WebhookSignature.generate_signature_header(
            RAW.decode(), SECRET, timestamp=WHEN
        )

        assert is_believed(RAW, signature)

    @pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
    def test_refuses_what_was_altered(self, attack: Alter) -> None:
        altered = attack(signed(RAW), WHEN)

        assert not is_believed(altered.raw, altered.header)

    def test_knows_enough_attacks(self) -> None:
        assert len(ATTACKS) >= 40

    @pytest.mark.parametrize("shift", [-300, -299, 0, 299, 300])
    def test_allows_five_minutes_either_way(self, shift: int) -> None:
        assert is_believed(RAW, header(RAW, WHEN + shift))

    def test_believes_either_secret_while_one_replaces_the_other(self) -> None:
        events = StripeEvents(secrets=("whsec_new", SECRET))

        assert is_believed(RAW, header(RAW), events=events)
        assert is_believed(RAW, header(RAW, secret="whsec_new"), events=events)

    def test_believes_one_right_signature_among_several(self) -> None:
        text = f"t={WHEN},v1={'0' * 64},v1={mac(RAW, WHEN)},v0={'0' * 64}"

        assert is_believed(RAW, text)

    @pytest.mark.parametrize("secrets", [(), ("",), ("  ",)])
    def test_believes_nothing_without_a_secret(self, secrets: tuple[str, ...]) -> None:
        events = StripeEvents(secrets=secrets)

        assert not is_believed(RAW, f"t={WHEN},v1={mac(RAW, WHEN, '')}", events=events)

    @given(st.text(max_size=200), st.binary(max_size=200))
    def test_refuses_anything_else_in_one_way(self, text: str, raw: bytes) -> None:
        assert not is_believed(raw, text)

    def test_keeps_its_secrets_to_itself(self) -> None:
        assert SECRET not in repr(EVENTS)


class TestOpen:
    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"null",
            b"[]",
            b"{}",
            b"{",
            b"\xff\xfe",
            b'{"id": "evt_1"}',
            event("a", {}).replace(b"evt_1", b""),
            event("a", {}).replace(b"evt_1", b"x" * 300),
            event("a", {}).replace(b"evt_1", b"\\u0000"),
            event("a", {}, created=-1),
            event("a", {}, created=10**18),
            event("a", {}).replace(str(WHEN).encode(), b"true"),
            event("a", {}).replace(str(WHEN).encode(), b'"2026"'),
            event("", {}),
            event("a" * 200, {}),
            b'{"id":"evt_1","object":"v2.core.event","type":"v2.core","created":"2026-11-24"}',
        ],
    )
    def test_cannot_read_what_is_no_event(self, raw: bytes) -> None:
        with pytest.raises(MessageUnreadable):
            EVENTS.open(raw, header(raw), now=NOW)

    def test_tells_the_worlds_apart(self) -> None:
        for livemode, environment in ((True, "production"), (False, "sandbox")):
            raw = event("customer.created", {}, livemode=livemode)

            assert EVENTS.open(raw, header(raw), now=NOW).environment == environment
