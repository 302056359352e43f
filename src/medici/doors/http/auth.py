"""Who is asking: bearer tokens, operators, and whom a user may act for."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer

from medici.domain.identity.admin import AdminGate, admit
from medici.domain.identity.errors import (
    ForbiddenUserScope,
    InvalidOrExpiredToken,
    MissingOrInvalidToken,
    NotAuthenticated,
)
from medici.domain.identity.principal import Operator as OperatorAuthority
from medici.domain.identity.principal import Principal, Proof
from medici.doors.http.context import name_caller, resources_of
from medici.doors.http.recognition import recognition_of
from medici.kernel.errors import MediciError
from medici.kernel.tokens import hash_token

MAX_TOKEN_LENGTH = 512

AdminToken = Annotated[str | None, Header(alias="X-Admin-Token", max_length=MAX_TOKEN_LENGTH)]


# Only describes the header to readers of /docs; what is in it is read below.
BEARER = HTTPBearer(auto_error=False, description="The token that signing in gave you.")


async def bearer_token(
    request: Request, _described: Annotated[object, Security(BEARER)] = None
) -> str | None:
    """Return the token of ``Authorization: Bearer …``; None where there is none to be read."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    readable = token.isascii() and token.isprintable() and " " not in token
    if scheme.lower() != "bearer" or not readable or not 0 < len(token) <= MAX_TOKEN_LENGTH:
        return None
    return token


BearerToken = Annotated[str | None, Depends(bearer_token)]


async def sent_token(token: BearerToken) -> str:
    if token is None:
        raise MissingOrInvalidToken
    return token


SentToken = Annotated[str, Depends(sent_token)]


async def bearer(request: Request, token: BearerToken) -> Principal | NotAuthenticated:
    """Resolve the bearer token, or say why it resolves to nobody.

    The look-up is over before the route's transaction opens.
    """
    if token is None:
        return MissingOrInvalidToken()
    return await recognition_of(request).principal(hash_token(token)) or InvalidOrExpiredToken()


Bearer = Annotated[Principal | NotAuthenticated, Depends(bearer)]


async def current_user(request: Request, bearer: Bearer) -> Principal:
    if isinstance(bearer, NotAuthenticated):
        raise bearer
    name_caller(request, f"user:{bearer.id}")
    return bearer


async def current_user_optional(request: Request, bearer: Bearer) -> Principal | None:
    """Let nobody in as nobody; a token that is sent must be good all the same."""
    if isinstance(bearer, MissingOrInvalidToken) and "authorization" not in request.headers:
        return None
    return await current_user(request, bearer)


async def operator(
    request: Request, bearer: Bearer, admin_token: AdminToken = None
) -> OperatorAuthority:
    gate = AdminGate.of(resources_of(request).settings)
    admitted = admit(gate, admin_token=admin_token, user=bearer)
    name_caller(request, f"operator:{admitted.actor}")
    return admitted


async def operator_in_production(
    request: Request, bearer: Bearer, admin_token: AdminToken = None
) -> None:
    """Guard what developers may see freely and the world may not."""
    if resources_of(request).settings.is_production:
        await operator(request, bearer, admin_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A user, an operator, or both: for routes that take one's own id or an operator's word."""

    user: Principal | None
    operator: OperatorAuthority | None  # with proof; open mode opens admin routes, not people

    def acts_for(self, user_id: str) -> str:
        """Return ``user_id`` if the caller may act for it.

        Raises:
            ForbiddenUserScope: it is somebody else's.
        """
        if self.operator is None and (self.user is None or self.user.id != user_id):
            raise ForbiddenUserScope
        return user_id


async def caller(request: Request, bearer: Bearer, admin_token: AdminToken = None) -> Caller:
    proven = _proven_operator(request, bearer, admin_token)
    if proven is None:
        return Caller(user=await current_user(request, bearer), operator=None)
    user = bearer if isinstance(bearer, Principal) else None
    name_caller(request, f"user:{user.id}" if user else f"operator:{proven.actor}")
    return Caller(user=user, operator=proven)


def _proven_operator(
    request: Request, bearer: Principal | NotAuthenticated, admin_token: str | None
) -> OperatorAuthority | None:
    gate = AdminGate.of(resources_of(request).settings)
    try:
        admitted = admit(gate, admin_token=admin_token, user=bearer)
    except MediciError:
        return None
    return None if admitted.proof is Proof.OPEN_MODE else admitted


def own_scope(user: Principal, user_id: str | None) -> str:
    """Return the id a user acts for: their own, named or not.

    Raises:
        ForbiddenUserScope: ``user_id`` is somebody else's.
    """
    if user_id is not None and user_id != user.id:
        raise ForbiddenUserScope
    return user.id


CurrentUser = Annotated[Principal, Depends(current_user)]
CurrentUserOptional = Annotated[Principal | None, Depends(current_user_optional)]
Operator = Annotated[OperatorAuthority, Depends(operator)]
OperatorInProduction = Depends(operator_in_production)
OwnerOrOperator = Annotated[Caller, Depends(caller)]
