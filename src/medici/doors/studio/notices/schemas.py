"""The JSON of outgoing webhooks' endpoints."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from medici.domain.notices.models import DisabledBecause, WebhookEndpoint
from medici.domain.notices.notice import NoticeType
from medici.domain.notices.service.endpoints import Wish
from medici.domain.notices.signing import Secret
from medici.kernel.net.urls import LONGEST_URL

LONGEST_OVERLAP = timedelta(days=7)
UNASKED = {NoticeType.TEST}  # comes only when an operator sends it


def _subscribable(types: list[NoticeType] | None) -> list[NoticeType] | None:
    if types is not None and UNASKED.intersection(types):
        raise ValueError("a test is sent on its own")
    return types


Url = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)]
Types = Annotated[
    list[NoticeType] | None,
    Field(min_length=1, max_length=50, description="What to be told; null for everything."),
    AfterValidator(_subscribable),
]
Description = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class EndpointIn(BaseModel):
    """An address that wants to be told. It is https on port 443, outside any private network."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    types: Types = None
    description: Description = ""


class EndpointChangeIn(BaseModel):
    """What is to change; what is left out stays. ``types: null`` means everything from now on."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    types: Types = None
    description: Description | None = None

    def applied_to(self, endpoint: WebhookEndpoint) -> Wish:
        types = self.types if "types" in self.model_fields_set else _types(endpoint)
        return Wish(
            url=self.url or endpoint.url,
            types=types,
            description=endpoint.description if self.description is None else self.description,
        )


class RotationIn(BaseModel):
    """How long the old secret signs beside the new one: a day unless told otherwise; at most 7."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: int = Field(86_400, ge=0, le=int(LONGEST_OVERLAP.total_seconds()))


class EndpointOut(BaseModel):
    """An endpoint. ``disabled_because`` is ``operator``, ``gone`` (it answered 410) or ``failing``.

    ``secret_last4`` are the last characters of the newest secret; the rest is not told again.
    """

    id: UUID
    url: str
    types: list[NoticeType] | None
    description: str
    enabled: bool
    disabled_at: datetime | None
    disabled_because: DisabledBecause | None
    failures_in_a_row: int
    failing_since: datetime | None
    resting_until: datetime | None
    secret_last4: str
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> "EndpointOut":
        return cls.model_validate(_shown(endpoint))


class EndpointWithSecretOut(EndpointOut):
    """The same with its secret, which is told this once."""

    secret: str

    @classmethod
    def with_secret(cls, endpoint: WebhookEndpoint, secret: Secret) -> "EndpointWithSecretOut":
        return cls.model_validate({**_shown(endpoint), "secret": secret.text})


class EndpointsOut(BaseModel):
    """Oldest first."""

    endpoints: list[EndpointOut]
    next_cursor: str | None


def _types(endpoint: WebhookEndpoint) -> Sequence[NoticeType] | None:
    return None if endpoint.types is None else [NoticeType(name) for name in endpoint.types]


def wanted(endpoint: WebhookEndpoint) -> dict[str, object]:
    return {
        "url": endpoint.url,
        "types": endpoint.types,
        "description": endpoint.description,
    }


def _shown(endpoint: WebhookEndpoint) -> dict[str, object]:
    return {
        **wanted(endpoint),
        "id": endpoint.id,
        "enabled": endpoint.disabled_at is None,
        "disabled_at": endpoint.disabled_at,
        "disabled_because": endpoint.disabled_because,
        "failures_in_a_row": endpoint.failures_in_a_row,
        "failing_since": endpoint.failing_since,
        "resting_until": endpoint.resting_until,
        "secret_last4": endpoint.secret_last4,
        "previous_secret_until": endpoint.previous_secret_until,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }
