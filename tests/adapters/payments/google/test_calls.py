"""Asking Google Play: who asks, and what may go wrong on the way."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from medici.adapters.payments.errors import PurchaseUnknown, StoreUnavailable
from medici.adapters.payments.google.account import AccessTokens, ServiceAccount
from medici.adapters.payments.google.api import PlayApi
from medici.adapters.payments.google.store import GooglePlayStore
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.kernel.environment import Environment
from tests.adapters.payments.google.conftest import Play
from tests.adapters.payments.google.scripts import bought
from tests.support.google import NOW, PACKAGE, other_google


class TestHandles:
    @pytest.mark.parametrize(
        "handle",
        [
            "",
            "subscription",
            "subscription::",
            f"subscription:{PACKAGE}:",
            f"subscription:{PACKAGE}:..",
            f"subscription:{PACKAGE}:../../edits",
            f"subscription:{PACKAGE}:a/b",
            f"subscription:{PACKAGE}:a%2Fb",
            f"subscription:{PACKAGE}:a?b=c",
            f"subscription:{PACKAGE}:a:b",
            f"subscription:{PACKAGE}:{'a' * 2001}",
            "subscription:com.example.other:token-1",
            "subscription:..:token-1",
            f"pack:{PACKAGE}:token-1",
        ],
    )
    async def test_that_are_not_ours_ask_for_nothing(self, play: Play, handle: str) -> None:
        with pytest.raises(PurchaseUnknown):
            await play.store.current(handle, environment=Environment.PRODUCTION, now=NOW)

        assert play.shop.plane.asked == []


class TestTrouble:
    @pytest.mark.parametrize("status", [400, 404, 410])
    async def test_a_purchase_that_is_gone_is_unknown(self, play: Play, status: int) -> None:
        fault = Fault(kind=FaultKind.STATUS, status=status)
        play.shop.plane.faults.set(Rule(operation="subscription", fault=fault))

        with pytest.raises(PurchaseUnknown):
            await play.subscription()

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(kind=FaultKind.STATUS, status=500),
            Fault(kind=FaultKind.STATUS, status=403),
            Fault(kind=FaultKind.STATUS, status=302, headers={"Location": "https://evil.example"}),
            Fault(kind=FaultKind.RATE_LIMITED),
            Fault(kind=FaultKind.AUTH),
            Fault(kind=FaultKind.RESET_BEFORE_BODY),
            Fault(kind=FaultKind.RESET_AFTER_BODY),
            Fault(kind=FaultKind.MALFORMED_JSON),
            Fault(kind=FaultKind.STATUS, status=200, body={"lineItems": "many"}),
        ],
    )
    async def test_an_answer_that_cannot_be_used_is_none(self, play: Play, fault: Fault) -> None:
        play.script(**bought())
        play.shop.plane.faults.set(Rule(operation="subscription", fault=fault))

        with pytest.raises(StoreUnavailable):
            await play.subscription()

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(kind=FaultKind.AUTH),
            Fault(kind=FaultKind.STATUS, status=500, body=[]),
            Fault(kind=FaultKind.RESET_BEFORE_BODY),
            Fault(kind=FaultKind.MALFORMED_JSON),
        ],
    )
    async def test_no_token_is_no_answer(self, play: Play, fault: Fault) -> None:
        play.script(**bought())
        play.shop.plane.faults.set(Rule(operation="token", fault=fault))

        with pytest.raises(StoreUnavailable):
            await play.subscription()

    async def test_a_refused_account_says_why(self, play: Play) -> None:
        stranger = ServiceAccount.of(json.dumps(other_google().key_file(f"{play.base}/token")))
        tokens = AccessTokens(play.outgoing, stranger)
        api = PlayApi(outgoing=play.outgoing, tokens=tokens, base=play.base)
        store = GooglePlayStore(api=api, packages=(PACKAGE,))

        with pytest.raises(StoreUnavailable, match=r"400 \(invalid_grant\)"):
            await store.current(
                f"subscription:{PACKAGE}:token-1", environment=Environment.PRODUCTION, now=NOW
            )


class TestTokens:
    async def test_serve_many_calls(self, play: Play) -> None:
        play.script(**bought())
        for _ in range(3):
            await play.subscription()

        assert (play.asked("token"), play.asked("subscription")) == (1, 3)

    async def test_are_renewed_before_they_end(self, play: Play) -> None:
        play.script(**bought())
        await play.subscription()
        play.pass_time(seconds=3538)
        await play.subscription()
        assert play.asked("token") == 1

        play.shop.plane.advance(timedelta(seconds=3540))
        play.pass_time(seconds=2)
        await play.subscription()

        assert play.asked("token") == 2

    async def test_that_google_forgot_are_renewed_at_once(self, play: Play) -> None:
        play.script(**bought())
        await play.subscription()
        play.shop.access_tokens.clear()

        news = await play.subscription()

        assert len(news.standings) == 1
        assert play.asked("token") == 2


class TestKeyFile:
    def test_may_be_named_by_its_path(self, tmp_path: Path, play: Play) -> None:
        path = tmp_path / "key.json"
        path.write_text(json.dumps(play.shop.google.key_file("https://google.example/token")))

        assert ServiceAccount.of(f"{path}\n").token_uri == "https://google.example/token"

    @pytest.mark.parametrize(
        ("text", "why"),
        [("{}", "client_email"), ('{"client_email": "a", "private_key": "b"}', "PEM")],
    )
    def test_must_be_one(self, text: str, why: str) -> None:
        with pytest.raises(ValueError, match=why):
            ServiceAccount.of(text)

    def test_is_never_shown(self, play: Play) -> None:
        account = ServiceAccount.of(json.dumps(play.shop.google.key_file("https://g.example/t")))

        assert "key=" not in repr(account)
