"""Why a picture was refused, and what can happen to the process that looks at it."""

from typing import ClassVar

from medici.kernel.errors import Kind, MediciError, Unavailable


class PictureRefused(MediciError):
    """The file is not one that we take; sending it again changes nothing."""

    kind: ClassVar[Kind] = Kind.UNPROCESSABLE
    code = "picture_refused"


class FileTooLarge(PictureRefused):
    """The file has too many bytes."""

    kind: ClassVar[Kind] = Kind.TOO_LARGE
    code = "file_too_large"


class ImageTooLarge(PictureRefused):
    """The picture has too many pixels."""

    kind: ClassVar[Kind] = Kind.TOO_LARGE
    code = "image_too_large"


class UnsupportedImage(PictureRefused):
    """The file is something else than a JPEG, PNG or WEBP picture, whatever its name says."""

    kind: ClassVar[Kind] = Kind.UNSUPPORTED_MEDIA
    code = "unsupported_image"


class UndecodableImage(PictureRefused):
    """The file begins like a picture but is damaged, cut short or built to harm."""

    code = "undecodable_image"


class TooManyFrames(PictureRefused):
    """The animation is longer than we care to read for its first frame."""

    code = "too_many_frames"


class ImageTooHeavy(PictureRefused):
    """The work needed more memory or processor time than its operation may use."""

    code = "image_too_heavy"


class ImageProcessUnavailable(Unavailable):
    """The work was not done, for a reason outside the picture; the same call may be tried again."""

    code = "image_process_unavailable"


class ImageProcessDied(ImageProcessUnavailable):
    """The child ended in the middle of the call."""

    code = "image_process_died"

    def __init__(self, operation: str, return_code: int | None) -> None:
        super().__init__(f"the image process ended during {operation!r} with {return_code}")
        self.return_code = return_code


class ImageCallTimedOut(ImageProcessUnavailable):
    """The call took longer than its caller would wait; its child was killed."""

    code = "image_call_timed_out"

    def __init__(self, operation: str, timeout_seconds: float) -> None:
        super().__init__(f"{operation!r} took longer than {timeout_seconds:g} s")


class ImageQueueFull(ImageProcessUnavailable):
    """So many calls wait already that another would only wait in vain."""

    code = "image_queue_full"


class ImageOperationFailed(MediciError):
    """The operation raised what it should not have: a fault of ours, its traceback in the notes."""

    code = "image_operation_failed"


REFUSALS: dict[str, type[PictureRefused]] = {
    refusal.code: refusal
    for refusal in (
        PictureRefused,
        FileTooLarge,
        ImageTooLarge,
        UnsupportedImage,
        UndecodableImage,
        TooManyFrames,
        ImageTooHeavy,
    )
}
"""Refusals by code: how one crosses from the child to its parent."""
