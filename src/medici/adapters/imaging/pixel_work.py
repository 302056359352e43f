"""What those need of the image process who only have work for it."""

from collections.abc import Sequence
from typing import Protocol

from medici.adapters.imaging.frames import JsonObject


class PixelWork(Protocol):
    """Runs a named operation on pixels outside this process."""

    async def call(
        self,
        operation: str,
        payload: bytes | Sequence[bytes],
        options: JsonObject,
        *,
        timeout_seconds: float,
        patient: bool = False,
    ) -> tuple[Sequence[bytes], JsonObject]: ...
