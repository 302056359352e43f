"""The JSON of provider settings, and what a request says beside them: who, why, which revision."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from medici.domain.routing.canaries import Limits
from medici.domain.routing.drafting import Act
from medici.domain.routing.history import Draft
from medici.domain.routing.models import ProviderSettingsVersion
from medici.domain.routing.queries import PublishedSettings
from medici.domain.routing.rules import Problem
from medici.domain.routing.settings import MOCK, ProviderSettings
from medici.doors.http.auth import Operator
from medici.doors.http.context import Now, RequestId
from medici.doors.studio.catalogue.acts import ActorName, ActReason
from medici.kernel.errors import Kind, MediciError
from medici.resources import Resources

DASHBOARD = "dashboard"  # who signs where nobody does
HIGHEST = 2**53  # that JSON's readers agree on
ETAG = re.compile(r'\s*(?:W/)?"?(\d{1,15})"?\s*')


class InvalidRevision(MediciError):
    kind = Kind.INVALID
    code = "invalid_revision"

    def __init__(self) -> None:
        super().__init__("If-Match takes the ETag of the draft")


class WarningOut(BaseModel):
    """What does not forbid publishing, and should be known."""

    code: str
    message: str

    @classmethod
    def all(cls, problems: Iterable[Problem]) -> "list[WarningOut]":
        return [cls(code=each.code, message=each.message) for each in problems]


class PublishedOut(ProviderSettings):
    """The settings in force."""

    version: int
    canary_version: int | None = Field(description="A version that is being tried beside it.")

    @classmethod
    def of(cls, published: PublishedSettings) -> "PublishedOut":
        return cls(
            **dict(published.settings),
            version=published.version,
            canary_version=published.canary and published.canary.version,
        )


class DraftOut(ProviderSettings):
    """The draft; ``revision`` counts its changes, and is its ETag too."""

    revision: int
    warnings: list[WarningOut]

    @classmethod
    def of(cls, draft: Draft, warnings: Collection[Problem]) -> "DraftOut":
        return cls(
            **dict(draft.settings), revision=draft.revision, warnings=WarningOut.all(warnings)
        )


class VersionOut(BaseModel):
    """Who published a version, when and why."""

    version: int
    actor: str
    reason: str | None
    created_at: datetime

    @classmethod
    def of(cls, version: ProviderSettingsVersion) -> "VersionOut":
        return cls(
            version=version.version,
            actor=version.actor,
            reason=version.reason or None,
            created_at=version.created_at,
        )


class WholeVersionOut(VersionOut):
    """A version with its content, as it was published."""

    settings: ProviderSettings

    @classmethod
    def whole(cls, version: ProviderSettingsVersion) -> "WholeVersionOut":
        return cls(
            **dict(VersionOut.of(version)),
            settings=ProviderSettings.model_validate(version.content),
        )


class ActIn(BaseModel):
    """Who acts, for the audit, and why."""

    actor: str = Field(DASHBOARD, min_length=1, max_length=120)
    reason: str | None = Field(None, max_length=500)


class PublicationIn(ActIn):
    """The same, and for a canary what takes it back by itself."""

    model_config = ConfigDict(extra="forbid")

    limits: Limits = Limits()


class Signing:
    """Knows the operator of a request; ``act`` adds the name and the reason given with it."""

    def __init__(self, operator: Operator, now: Now, request_id: RequestId) -> None:
        self._operator, self._now, self._request_id = operator, now, request_id

    def act(self, actor: str | None, reason: str | None) -> Act:
        return Act(
            operator=self._operator,
            actor=actor or DASHBOARD,
            reason=reason or "",
            request_id=self._request_id,
            now=self._now,
        )


Signed = Annotated[Signing, Depends()]


async def _named_act(signed: Signed, actor: ActorName = None, reason: ActReason = None) -> Act:
    return signed.act(actor, reason)


NamedAct = Annotated[Act, Depends(_named_act)]


async def _body_act(signed: Signed, body: ActIn | None = None) -> Act:
    given = body or ActIn()
    return signed.act(given.actor, given.reason)


BodyAct = Annotated[Act, Depends(_body_act)]


async def _revision(
    revision: Annotated[
        int | None, Query(ge=0, le=HIGHEST, description="Of the draft that is meant.")
    ] = None,
    if_match: Annotated[str | None, Header(max_length=40)] = None,
) -> int | None:
    """Return the revision that a request was made for, by its query or its ``If-Match``."""
    if revision is not None or if_match is None or if_match.strip() == "*":
        return revision
    named = ETAG.fullmatch(if_match)
    if named is None:
        raise InvalidRevision
    return int(named[1])


Revision = Annotated[int | None, Depends(_revision)]


def enableable(resources: Resources) -> frozenset[str]:
    """Name the providers that may be enabled: pretended pictures are not for production."""
    names = resources.providers.names
    return names - {MOCK} if resources.settings.is_production else names
