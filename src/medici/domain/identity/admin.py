"""Who is an operator: one pure decision for every admin route and every console page."""

from dataclasses import dataclass, field

from medici.domain.identity.errors import (
    AdminAuthNotConfigured,
    ForbiddenAdminScope,
    MissingOrInvalidAdminToken,
    NotAuthenticated,
)
from medici.domain.identity.principal import Operator, Principal, Proof
from medici.kernel.tokens import same_secret
from medici.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminGate:
    """What the deployment set up: a token, a list of users, or neither."""

    token: str | None = field(repr=False)
    user_ids: frozenset[str]
    open_mode: bool  # what holds while neither is set

    @classmethod
    def of(cls, settings: Settings) -> "AdminGate":
        """Read the gate from the settings; open mode is the default outside production alone."""
        token = settings.admin_api_token
        chosen = settings.allow_open_admin_mode
        return cls(
            token=(token.get_secret_value().strip() if token else "") or None,
            user_ids=frozenset(settings.admin_user_ids),
            open_mode=not settings.is_production if chosen is None else chosen,
        )

    @property
    def configured(self) -> bool:
        return self.token is not None or bool(self.user_ids)


def admit(
    gate: AdminGate, *, admin_token: str | None, user: Principal | NotAuthenticated
) -> Operator:
    """Decide whether whoever knocks is an operator.

    ``user`` is what the bearer token resolved to, or why it resolved to nobody. A wrong admin
    token is always refused, even beside the token of a listed user.

    Raises:
        NotAuthenticated: no proof, or a wrong one.
        ForbiddenAdminScope: a known user who is not on the list.
    """
    if not gate.configured and not gate.open_mode:
        raise AdminAuthNotConfigured
    if admin_token:
        return _by_token(gate, admin_token)
    if not gate.configured:
        return Operator(proof=Proof.OPEN_MODE, actor=Proof.OPEN_MODE)
    if gate.user_ids:
        return _by_user(gate, user)
    raise MissingOrInvalidAdminToken


def _by_token(gate: AdminGate, sent: str) -> Operator:
    if gate.token is None or not same_secret(sent, gate.token):
        raise MissingOrInvalidAdminToken
    return Operator(proof=Proof.ADMIN_TOKEN, actor=Proof.ADMIN_TOKEN)


def _by_user(gate: AdminGate, user: Principal | NotAuthenticated) -> Operator:
    if isinstance(user, NotAuthenticated):
        raise user
    if user.id not in gate.user_ids:
        raise ForbiddenAdminScope
    return Operator(proof=Proof.LISTED_USER, actor=f"user:{user.id}")
