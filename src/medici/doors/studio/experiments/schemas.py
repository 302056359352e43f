"""What apps say and hear of experiments."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import Depends
from pydantic import AfterValidator, BaseModel, Field

from medici.domain.assignments.attributes import Attributes
from medici.domain.assignments.exposures import Refusal, Sighting
from medici.domain.assignments.models import Reason
from medici.domain.assignments.service.assigning import Told

MOST_EXPOSURES = 500
Id = Annotated[str, Field(min_length=1, max_length=128)]
Attribute = Annotated[str, Field(max_length=64)]
# A time without a zone is one of UTC.
Moment = Annotated[datetime, AfterValidator(lambda at: at if at.tzinfo else at.replace(tzinfo=UTC))]


class AttributesIn(BaseModel):
    """What the app knows of its user. Plan and age of the account are the server's to tell."""

    platform: Attribute | None = None
    country: Attribute | None = None
    app_version: Attribute | None = None

    def told(self, platform: str | None) -> Attributes:
        """Return them; ``platform`` is that of the sign-in, for an app that does not say."""
        return Attributes(
            platform=self.platform or platform, country=self.country, app_version=self.app_version
        )


async def _in_query(
    platform: Attribute | None = None,
    country: Attribute | None = None,
    app_version: Attribute | None = None,
) -> AttributesIn:
    return AttributesIn(platform=platform, country=country, app_version=app_version)


QueryAttributes = Annotated[AttributesIn, Depends(_in_query)]


class ActiveQuery(AttributesIn):
    """What the query of a request for all variants holds."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50


class AssignIn(BaseModel):
    """``expose`` false asks without being shown the variant: outcomes do not count yet."""

    experiment_id: Id
    user_id: Id
    attributes: AttributesIn = AttributesIn()
    expose: bool = True


class AssignOut(BaseModel):
    """Which variant of an experiment a user gets, and why.

    ``from_cache``: a stored row answered. ``in_experiment``: the user takes part in the comparison.
    """

    experiment_id: str
    user_id: str
    variant_id: str
    config: dict[str, object]
    assigned_at: datetime
    from_cache: bool
    in_experiment: bool
    reason: Reason
    bucket: float
    phase: int
    bucket_version: int
    hash_version: int

    @classmethod
    def of(cls, told: Told) -> "AssignOut":
        return cls(
            experiment_id=told.experiment_id,
            user_id=told.user_id,
            variant_id=told.variant_id,
            config=dict(told.config),
            assigned_at=told.assigned_at,
            from_cache=told.from_cache,
            in_experiment=told.in_experiment,
            reason=told.reason,
            bucket=told.bucket,
            phase=told.phase,
            bucket_version=told.bucket_version,
            hash_version=told.hash_version,
        )


class ActiveOut(BaseModel):
    """The variants of a user in the experiments that run."""

    user_id: str
    assignments: list[AssignOut]

    @classmethod
    def of(cls, user_id: str, told: Sequence[Told]) -> "ActiveOut":
        return cls(user_id=user_id, assignments=[AssignOut.of(each) for each in told])


def active_json(user_id: str, told: Sequence[Told]) -> bytes:
    """Write what ``ActiveOut`` says, in a tenth of the time."""
    try:
        return orjson.dumps({"user_id": user_id, "assignments": told}, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:  # a config holds a number of more than 64 bits
        return ActiveOut.of(user_id, told).model_dump_json().encode()


class ExposureIn(BaseModel):
    """That a variant was shown; without ``occurred_at`` just now."""

    experiment_id: Id
    variant_id: Id
    occurred_at: Moment | None = None

    def sighting(self, now: datetime) -> Sighting:
        return Sighting(
            experiment_id=self.experiment_id,
            variant_id=self.variant_id,
            occurred_at=self.occurred_at or now,
        )


class ExposuresIn(BaseModel):
    user_id: Id
    exposures: Annotated[Sequence[ExposureIn], Field(min_length=1, max_length=MOST_EXPOSURES)]


class RejectedOut(BaseModel):
    """An exposure that was not taken: its place in the request, and why."""

    index: int
    code: Refusal


class ExposuresOut(BaseModel):
    accepted: int
    duplicates: int
    rejected: Sequence[RejectedOut]
