"""The truth table of who is an operator."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

import pytest
from pydantic import SecretStr

from medici.domain.identity.admin import AdminGate, admit
from medici.domain.identity.errors import (
    InvalidOrExpiredToken,
    MissingOrInvalidToken,
    NotAuthenticated,
)
from medici.domain.identity.principal import Principal, Proof
from medici.kernel.errors import Kind, MediciError
from medici.settings import Settings

RIGHT, WRONG = "a right token", "a wrong token"


def user(name: str) -> Principal:
    return Principal(
        id=name, platform=None, expires_at=datetime(2027, 1, 1, tzinfo=UTC), token_hash="0"
    )


BEARERS: dict[str, Principal | NotAuthenticated] = {
    "none": MissingOrInvalidToken(),
    "garbage": InvalidOrExpiredToken(),
    "listed": user("ada"),
    "other": user("bob"),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row: what is configured, and what is sent."""

    production: bool
    token: bool
    listed: bool
    open_mode: bool | None
    sent: str | None
    bearer: str

    @property
    def gate(self) -> AdminGate:
        return AdminGate.of(
            Settings(
                _env_file=None,
                app_env="production" if self.production else "test",
                admin_api_token=SecretStr(RIGHT) if self.token else None,
                admin_user_ids=("ada",) if self.listed else (),
                allow_open_admin_mode=self.open_mode,
            )
        )

    @property
    def expected(self) -> str:
        """The table, row by row, written down a second time."""
        if not self.token and not self.listed:
            is_open = (not self.production) if self.open_mode is None else self.open_mode
            if not is_open:
                return "admin_auth_not_configured"
            return "missing_or_invalid_admin_token" if self.sent else "open_mode"
        if self.sent == RIGHT and self.token:
            return "admin_token"
        if self.sent:
            return "missing_or_invalid_admin_token"
        if not self.listed:
            return "missing_or_invalid_admin_token"
        return {
            "none": "missing_or_invalid_token",
            "garbage": "invalid_or_expired_token",
            "listed": "listed_user",
            "other": "forbidden_admin_scope",
        }[self.bearer]


CASES = [
    Case(production=p, token=t, listed=u, open_mode=o, sent=x, bearer=b)
    for p, t, u, o, x, b in product(
        (False, True),
        (False, True),
        (False, True),
        (None, False, True),
        (None, "", RIGHT, WRONG),
        BEARERS,
    )
]


KINDS = {"forbidden_admin_scope": Kind.FORBIDDEN}


def decided(case: Case) -> tuple[str, Kind | None]:
    try:
        return admit(case.gate, admin_token=case.sent, user=BEARERS[case.bearer]).proof, None
    except MediciError as refused:
        return refused.code, refused.kind


def expected(case: Case) -> tuple[str, Kind | None]:
    if case.expected in set(Proof):
        return case.expected, None
    return case.expected, KINDS.get(case.expected, Kind.UNAUTHENTICATED)


class TestAdmit:
    def test_follows_the_table_in_every_row(self) -> None:
        assert len(CASES) == 384
        assert [case for case in CASES if decided(case) != expected(case)] == []

    def test_names_the_actor_for_the_audit(self) -> None:
        gate = AdminGate(token=RIGHT, user_ids=frozenset({"ada"}), open_mode=False)

        by_token = admit(gate, admin_token=RIGHT, user=BEARERS["none"])
        by_user = admit(gate, admin_token=None, user=BEARERS["listed"])

        assert (by_token.actor, by_user.actor) == ("admin_token", "user:ada")


class TestAdminGate:
    def test_counts_empty_variables_as_unset_and_cuts_spaces(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ADMIN_API_TOKEN", "")
        monkeypatch.setenv("ADMIN_USER_IDS", " ada , ,bob ")

        gate = AdminGate.of(Settings(_env_file=None))

        assert gate == AdminGate(token=None, user_ids=frozenset({"ada", "bob"}), open_mode=True)

    def test_does_not_show_its_token(self) -> None:
        assert RIGHT not in repr(AdminGate(token=RIGHT, user_ids=frozenset(), open_mode=False))
