"""The image process without a process: the same work, done here, so that tests stay quick."""

from collections.abc import Callable, Sequence

from medici.adapters.imaging.frames import JsonObject
from medici.adapters.imaging.host import ImageProcess
from medici.adapters.imaging.operations import OPERATIONS
from tests.attacks.images import encoded, picture


class InProcess(ImageProcess):
    """Does what a child would do."""

    async def call(
        self,
        operation: str,
        payload: bytes | Sequence[bytes],
        options: JsonObject,
        *,
        timeout_seconds: float,
        patient: bool = False,
        on_progress: Callable[[float], None] | None = None,
    ) -> tuple[Sequence[bytes], JsonObject]:
        blobs = [payload] if isinstance(payload, bytes) else payload
        done = OPERATIONS[operation](blobs, options, on_progress or (lambda _done: None))
        return done.blobs, done.info


PHOTO = encoded(picture(64, 48), "JPEG")
PAINTING = encoded(picture(32, 24), "PNG")
