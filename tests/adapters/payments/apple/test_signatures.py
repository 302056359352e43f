"""Nothing that Apple has not signed, for us and just now, is believed; nothing makes us stumble."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from medici.adapters.payments.apple.notifications import AppleNotifications
from medici.adapters.payments.apple.reading import read_notification
from medici.adapters.payments.apple.verifying import Verifier, roots_in
from medici.adapters.payments.apple.words import is_notification, signed_payload
from medici.adapters.payments.errors import MessageUnreadable, SignatureRefused, StoreUnavailable
from medici.fakes.apple.authority import INTERMEDIATE, LEAF, Authority, Writer
from medici.kernel.environment import Environment
from tests.support.apple import (
    NOW,
    Letter,
    app,
    authority,
    bought,
    enveloped,
    other_authority,
    writer,
)
from tests.support.apple_altered import ALTERED

BODY, VERIFIER = Letter().body, Verifier(app())


class TestHonest:
    async def test_is_believed(self, notifications: AppleNotifications) -> None:
        letter = Letter()

        news = await notifications.read(letter.body, now=NOW)

        assert (news.event_id, news.environment) == (letter.uuid, Environment.PRODUCTION)
        assert news.event_time == NOW

    @pytest.mark.parametrize(
        "age",
        [timedelta(days=10, seconds=-1), timedelta(minutes=-5, seconds=1)],
        ids=["nearly ten days", "nearly five minutes ahead"],
    )
    async def test_is_believed_at_the_edge_of_its_time(
        self, notifications: AppleNotifications, age: timedelta
    ) -> None:
        letter = replace(Letter(), at=NOW - age)

        assert (await notifications.read(letter.body, now=NOW)).event_time == NOW - age

    async def test_may_be_of_the_sandbox(self, notifications: AppleNotifications) -> None:
        letter = Letter(writer=writer(environment="Sandbox"))

        news = await notifications.read(letter.body, now=NOW)

        assert news.environment is Environment.SANDBOX


class TestRoots:
    async def test_may_be_two_while_one_replaces_the_other(self) -> None:
        old, new = authority().root.der, other_authority().root.der
        letters = [Letter(), Letter(writer=Writer(authority=other_authority()))]
        both, later = (
            AppleNotifications(app(roots=(old, new))),
            AppleNotifications(app(roots=(new,))),
        )

        for letter in letters:
            assert (await both.read(letter.body, now=NOW)).event_id == letter.uuid
        with pytest.raises(SignatureRefused):
            await later.read(letters[0].body, now=NOW)

    def test_are_read_from_a_directory_in_either_form(self, tmp_path: Path) -> None:
        root, other = authority().root, other_authority().root
        (tmp_path / "a.cer").write_bytes(root.der)
        (tmp_path / "b.pem").write_bytes(other.certificate.public_bytes(Encoding.PEM))

        assert roots_in(tmp_path) == (root.der, other.der)

    def test_must_be_certificates(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="holds no certificate"):
            roots_in(tmp_path)
        (tmp_path / "readme.txt").write_text("put them here")
        with pytest.raises(ValueError, match="is no certificate"):
            roots_in(tmp_path)


class TestOnlineChecks:
    async def test_that_nobody_answers_leave_it_open_for_later(self) -> None:
        nowhere = "http://127.0.0.1:9/ocsp"
        made = Authority.make(
            intermediate=replace(INTERMEDIATE, ocsp=nowhere), leaf=replace(LEAF, ocsp=nowhere)
        )
        notifications = AppleNotifications(app(roots=(made.root.der,), online_checks=True))

        with pytest.raises(StoreUnavailable):
            await notifications.read(Letter(writer=Writer(authority=made)).body, now=NOW)

    async def test_refuse_a_certificate_that_cannot_be_asked_about(self) -> None:
        notifications = AppleNotifications(app(online_checks=True))

        with pytest.raises(SignatureRefused):
            await notifications.read(Letter().body, now=NOW)


class TestAltered:
    @pytest.mark.parametrize("kind", ALTERED)
    async def test_is_refused(self, notifications: AppleNotifications, kind: str) -> None:
        with pytest.raises(SignatureRefused):
            await notifications.read(ALTERED[kind](Letter()), now=NOW)

    async def test_is_refused_at_every_character(self, notifications: AppleNotifications) -> None:
        signed = Letter().signed()
        steps = range(0, len(signed), max(1, len(signed) // 120))

        for place in steps:
            other = "A" if signed[place] != "A" else "B"
            altered = signed[:place] + other + signed[place + 1 :]
            with pytest.raises(SignatureRefused):
                await notifications.read(enveloped(altered), now=NOW)

    async def test_is_refused_where_it_ends_early(self, notifications: AppleNotifications) -> None:
        body = Letter().body

        for length in range(0, len(body), len(body) // 60):
            with pytest.raises(SignatureRefused):
                await notifications.read(body[:length], now=NOW)

    @settings(deadline=None)  # it may be another test that is slow
    @given(place=st.integers(0, 5000), cut=st.integers(0, 40), put=st.binary(max_size=12))
    def test_is_refused_wherever_something_else_stands(
        self, place: int, cut: int, put: bytes
    ) -> None:
        altered = BODY[:place] + put + BODY[place + cut :]

        try:
            read_notification(
                VERIFIER, signed_payload(altered), not_before=NOW - timedelta(days=1), now=NOW
            )
        except SignatureRefused:
            return
        assert signed_payload(altered) == signed_payload(BODY)  # only the envelope was altered

    def test_there_are_more_than_forty_kinds(self) -> None:
        assert len(ALTERED) > 40

    @pytest.mark.parametrize("kind", ["the key twice", "byte order mark", "no text"])
    def test_keeps_the_form_by_which_a_door_knows_it(self, kind: str) -> None:
        assert is_notification(ALTERED[kind](Letter()))


class TestShape:
    @pytest.mark.parametrize(
        "claims",
        [
            {"notificationType": None},
            {"notificationUUID": None},
            {"data": {"status": "many"}},
            {"data": {"signedRenewalInfo": writer().renewal(NOW, originalTransactionId="9")}},
        ],
        ids=["no type", "no id", "status in words", "renewal of another"],
    )
    async def test_of_a_proven_word_may_still_be_none_that_we_know(
        self, notifications: AppleNotifications, claims: dict[str, Any]
    ) -> None:
        with pytest.raises(MessageUnreadable):
            await notifications.read(enveloped(Letter().signed(**claims)), now=NOW)


class TestTransactionsOfCustomers:
    async def test_are_believed_however_old(self, notifications: AppleNotifications) -> None:
        at = NOW - timedelta(days=400)

        news = await notifications.read_transaction(writer().transaction(at, **bought()), now=NOW)

        assert news.event_time == at

    @pytest.mark.parametrize(
        "signed",
        [
            "",
            "a.b.c",
            Letter().signed(),
            writer().renewal(NOW, originalTransactionId="1"),
            writer().transaction(NOW, **bought(bundleId="com.example.other")),
            writer().transaction(NOW, **bought(environment="Xcode")),
            writer().transaction(NOW + timedelta(hours=1), **bought()),
        ],
        ids=["nothing", "garbled", "notification", "renewal", "app", "xcode", "future"],
    )
    async def test_are_refused_when_they_are_something_else(
        self, notifications: AppleNotifications, signed: str
    ) -> None:
        with pytest.raises(SignatureRefused):
            await notifications.read_transaction(signed, now=NOW)


class TestSettings:
    @pytest.mark.parametrize("name", ["LocalTesting", "Xcode", "Local_Testing", ""])
    def test_that_skip_the_signature_are_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="cannot be proven"):
            AppleNotifications(app(environments=("Production", name)))

    def test_of_production_need_the_number_of_the_app(self) -> None:
        with pytest.raises(ValueError, match="appAppleId"):
            AppleNotifications(app(app_id=None))

    @pytest.mark.parametrize("lacking", [{"roots": ()}, {"bundle_ids": ()}])
    def test_without_root_or_app_prove_nothing(self, lacking: dict[str, tuple[str, ...]]) -> None:
        with pytest.raises(ValueError, match="need a bundle id and a root"):
            AppleNotifications(app(**lacking))
