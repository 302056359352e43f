"""What can be wrong with a picture that somebody names."""

from medici.kernel.errors import Kind, MediciError


class PictureNotFound(MediciError):
    """No such picture, or it belongs to somebody else."""

    kind = Kind.INVALID
    code = "image_not_found"

    def __init__(self) -> None:
        super().__init__("this upload does not exist, has expired, or belongs to somebody else")
