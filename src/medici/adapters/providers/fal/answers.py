"""What fal answers, as far as it is used; whatever else it says is ignored."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


class Accepted(BaseModel):
    """Work that fal has taken."""

    request_id: str
    status_url: str | None = None
    response_url: str | None = None
    cancel_url: str | None = None
    queue_position: int | None = None


class Status(BaseModel):
    """How far it is. A failed job is COMPLETED, too, and then says ``error`` or ``error_type``."""

    status: str
    request_id: str | None = None
    queue_position: int | None = None
    error: str | None = None
    error_type: str | None = None


class Picture(BaseModel):
    url: str
    width: int | None = None
    height: int | None = None


class Output(BaseModel):
    """A model's result. Some models bring ``images``, some one ``image``."""

    images: tuple[Picture, ...] = ()
    image: Picture | None = None
    has_nsfw_concepts: tuple[bool, ...] | None = None

    @property
    def pictures(self) -> Sequence[Picture]:
        return self.images or ((self.image,) if self.image else ())

    @property
    def decent(self) -> tuple[Picture, ...]:
        """The pictures that the model's own checker did not mark."""
        marks = self.has_nsfw_concepts or ()
        return tuple(
            picture
            for place, picture in enumerate(self.pictures)
            if not (place < len(marks) and marks[place])
        )


class Call(BaseModel):
    """What a webhook says."""

    request_id: str
    status: str


class UploadPlace(BaseModel):
    """Where a picture may be put, and where models find it afterwards."""

    upload_url: str
    file_url: str


def read(shape: type[M], body: bytes) -> M | None:
    """Read an answer; None where it is not of that shape."""
    try:
        return shape.model_validate_json(body)
    except ValidationError:
        return None
