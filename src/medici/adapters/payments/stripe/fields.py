"""How single fields of Stripe's objects are read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

LATEST = 253_402_300_799  # the last second of the year 9999
LARGEST = 2**63 - 1


class Part(BaseModel):
    """The part of an object that we read. The rest of it, and what is new, is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _moment(seconds: object) -> object:
    """Read Unix seconds; whatever else stands there is no time."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= LATEST:
        raise ValueError("no Unix time")
    return datetime.fromtimestamp(seconds, UTC)


def _id_of(value: object) -> object:
    """Return the id of what may stand there as a whole."""
    return value.get("id") if isinstance(value, Mapping) else value


def whole(value: object) -> object:
    """Make an object of what may stand there as an id alone."""
    return {"id": value} if isinstance(value, str) else value


def _metadata(value: object) -> object:
    if not isinstance(value, Mapping):
        return {}
    return {name: text for name, text in value.items() if isinstance(text, str)}


Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
Ref = Annotated[Id, BeforeValidator(_id_of)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Minor = Annotated[int, Field(ge=-LARGEST, le=LARGEST, strict=True)]
Count = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
Currency = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$")]
Metadata = Annotated[dict[str, str], BeforeValidator(_metadata)]
