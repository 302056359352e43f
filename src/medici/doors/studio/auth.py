"""Signing in and out."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.identity import oidc, service
from medici.domain.identity.owner import Owner
from medici.domain.identity.principal import SignedIn
from medici.doors.http.auth import CurrentUser, SentToken
from medici.doors.http.context import AppResources, Now
from medici.doors.http.sessions import DbSession
from medici.kernel.errors import Kind, MediciError
from medici.kernel.tokens import hash_token

TTL_HOURS = 720

UserId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[ -~]+$")]
Platform = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[ -~]+$")]

# Only the hashes of tokens are stored, so these routes cannot repeat an answer: no
# IdempotentRoute here.
router = APIRouter(prefix="/v1/auth", tags=["auth"])


class DevLoginIn(BaseModel):
    user_id: UserId
    platform: Platform | None = None
    ttl_hours: int = Field(TTL_HOURS, ge=1, le=2160)


class IdTokenIn(BaseModel):
    id_token: str = Field(min_length=1, max_length=oidc.MAX_TOKEN_LENGTH)
    platform: Platform | None = None


class TokenOut(BaseModel):
    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the kind of token
    user_id: str
    expires_at: datetime

    @classmethod
    def of(cls, signed_in: SignedIn) -> "TokenOut":
        return cls(
            access_token=signed_in.token,
            user_id=signed_in.user_id,
            expires_at=signed_in.expires_at,
        )


class MeOut(BaseModel):
    user_id: str
    platform: str | None
    expires_at: datetime


class LogoutOut(BaseModel):
    revoked: bool


class DevLoginClosed(MediciError):
    """Looks like a path that does not exist."""

    kind = Kind.NOT_FOUND
    code = "not_found"

    def __init__(self) -> None:
        super().__init__("signing in without proof is for development")


async def _dev_login_open(resources: AppResources) -> None:
    if not resources.settings.dev_login_allowed:
        raise DevLoginClosed


@router.post("/login-dev", dependencies=[Depends(_dev_login_open)])
async def login_dev(body: DevLoginIn, session: DbSession, now: Now) -> TokenOut:
    """Sign anybody in as anybody; outside production only."""
    return await _enter(
        session,
        user_id=body.user_id,
        platform=body.platform,
        ttl=timedelta(hours=body.ttl_hours),
        prefix=service.DEV_PREFIX,
        now=now,
    )


@router.post("/oidc")
async def login_oidc(body: IdTokenIn, resources: AppResources, now: Now) -> TokenOut:
    """Exchange an ID token of a configured issuer for a token of ours."""
    presented = oidc.present(body.id_token, resources.settings.oidc_issuers)
    keys = await resources.oidc_keys.keys(presented.issuer, key_id=presented.key_id)
    subject = oidc.verify(presented, keys, now=now)
    # Asking the issuer may have taken the network, so the transaction begins only now.
    async with resources.database.transaction() as session:
        return await _enter(
            session,
            user_id=await service.user_for(session, subject=subject, now=now),
            platform=body.platform,
            ttl=timedelta(hours=TTL_HOURS),
            prefix=service.TOKEN_PREFIX,
            now=now,
        )


@router.get("/me")
async def me(user: CurrentUser) -> MeOut:
    """Tell whose token this is, and until when."""
    return MeOut(user_id=user.id, platform=user.platform, expires_at=user.expires_at)


@router.post("/logout")
async def logout(token: SentToken, session: DbSession, now: Now) -> LogoutOut:
    """Revoke the token that is sent; false when it was no good any more."""
    revoked = await service.sign_out(session, token_hash=hash_token(token), now=now)
    return LogoutOut(revoked=revoked)


async def _enter(
    session: AsyncSession,
    *,
    user_id: str,
    platform: str | None,
    ttl: timedelta,
    prefix: str,
    now: datetime,
) -> TokenOut:
    """Let a proven user in: the one place that every way of signing in passes."""
    signed_in = await service.sign_in(
        session, user_id=user_id, platform=platform, ttl=ttl, prefix=prefix, now=now
    )
    await ensure_allowance(session, owner=Owner.user(user_id), now=now)
    return TokenOut.of(signed_in)
