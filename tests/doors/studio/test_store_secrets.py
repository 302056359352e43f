"""Who may relay what stores say."""

import pytest
from pydantic import SecretStr

from medici.adapters.payments.errors import StoreNotConfigured, TokenRefused
from medici.adapters.payments.news import AuthMode
from medici.doors.studio.selling.secrets import RelayClosed, RelayGate

JWT = "eyJhbGciOiJub25lIn0.e30.c2ln"


def gate(
    secret: str | None = "old, new", *, enabled: bool = True, production: bool = True
) -> RelayGate:
    return RelayGate.of(
        SecretStr(secret) if secret is not None else None, enabled=enabled, production=production
    )


class TestAdmit:
    @pytest.mark.parametrize(
        "headers",
        [
            {"x-webhook-secret": "old"},
            {"x-webhook-secret": "new"},
            {"authorization": "Bearer old"},
            {"authorization": "bearer  new "},
        ],
    )
    def test_any_listed_secret_passes_in_either_header(self, headers: dict[str, str]) -> None:
        assert gate().admit(headers) is AuthMode.RELAY

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"x-webhook-secret": ""},
            {"x-webhook-secret": "ol"},
            {"x-webhook-secret": "old, new"},
            {"x-webhook-secret": "wrong", "authorization": "Bearer old"},
            {"x-webhook-secret": "\udce9"},
            {"authorization": "Basic old"},
            {"authorization": f"Bearer {JWT}"},
        ],
    )
    @pytest.mark.parametrize("production", [True, False])
    def test_a_configured_secret_is_always_asked_for(
        self, headers: dict[str, str], production: bool
    ) -> None:
        with pytest.raises(TokenRefused) as refused:
            gate(production=production).admit(headers)

        assert refused.value.code == "unauthorized"

    def test_a_token_of_three_parts_is_never_taken_for_a_secret(self) -> None:
        with pytest.raises(TokenRefused):
            gate(JWT).admit({"authorization": f"Bearer {JWT}"})

    @pytest.mark.parametrize("secret", [None, "", " , "])
    def test_without_a_secret_production_is_closed(self, secret: str | None) -> None:
        with pytest.raises(StoreNotConfigured) as refused:
            gate(secret).admit({"x-webhook-secret": "x"})

        assert refused.value.code == "webhook_auth_not_configured"

    def test_without_a_secret_development_is_open(self) -> None:
        assert gate(None, production=False).admit({}) is AuthMode.OPEN

    def test_relays_can_be_switched_off(self) -> None:
        with pytest.raises(RelayClosed):
            gate(enabled=False).admit({"x-webhook-secret": "old"})
