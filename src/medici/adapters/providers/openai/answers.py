"""Reading what OpenAI answers. Only the pictures must be there; nothing else may cost us them."""

import binascii
import re
from base64 import b64decode
from typing import Annotated, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.openai.models import Size
from medici.adapters.providers.pricing import TokenUsage

SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")


def _or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


T = TypeVar("T")
Lenient: TypeAlias = Annotated[T | None, WrapValidator(_or_none)]
Count: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Details(BaseModel):
    """How many tokens of one direction were of which kind."""

    text_tokens: Count = 0
    image_tokens: Count = 0


class Usage(BaseModel):
    """The tokens of one call.

    What the details leave unsaid counts as the dearer kind: all that came out is picture, as is
    what went in where there are no details at all.
    """

    input_tokens: Count
    output_tokens: Count
    input_tokens_details: Lenient[Details] = None
    output_tokens_details: Lenient[Details] = None

    def tokens(self) -> TokenUsage:
        going_in, coming_out = self.input_tokens_details, self.output_tokens_details
        image_in = going_in.image_tokens if going_in else self.input_tokens
        text_out = coming_out.text_tokens if coming_out else 0
        return TokenUsage(
            text_in=max(0, self.input_tokens - image_in),
            image_in=image_in,
            text_out=text_out,
            image_out=max(0, self.output_tokens - text_out),
        )


class Picture(BaseModel):
    b64_json: Lenient[str] = None


def _size_of(text: object) -> Size:
    if not (isinstance(text, str) and (sides := SIZE.fullmatch(text))):
        raise ValueError("a size is width and height in pixels")
    return int(sides[1]), int(sides[2])


class Painted(BaseModel):
    """A finished call. ``size`` and ``quality`` are what was really done, never ``auto``."""

    created: int
    data: list[Picture] | None
    size: Lenient[Annotated[Size, BeforeValidator(_size_of)]] = None
    quality: Lenient[str] = None
    usage: Lenient[Usage] = None

    def pictures(self) -> tuple[bytes, ...]:
        """Decode the pictures.

        Raises:
            ProviderFailure: there is none, or what stands for one is not base64 (``NO_OUTPUT``).
        """
        try:
            decoded = [b64decode(one.b64_json or "", validate=True) for one in self.data or []]
        except (binascii.Error, ValueError) as error:
            raise ProviderFailure(FailureCode.NO_OUTPUT, "the picture is not base64") from error
        if not any(decoded):
            raise ProviderFailure(FailureCode.NO_OUTPUT, "the answer carries no picture")
        return tuple(decoded)


def painted(body: bytes) -> Painted | None:
    """Read a successful answer; None where it is none that we understand."""
    try:
        return Painted.model_validate_json(body)
    except ValidationError:
        return None


class Complaint(BaseModel):
    """What is wrong, in the vendor's words."""

    message: Lenient[str] = None
    type: Lenient[str] = None
    code: Lenient[str] = None


class Refusal(BaseModel):
    error: Complaint


def complaint(body: bytes) -> Complaint:
    """Read an error; an empty one where the body is not the vendor's."""
    try:
        return Refusal.model_validate_json(body).error
    except ValidationError:
        return Complaint()
