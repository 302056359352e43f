"""What one call of an operation may use of the machine."""

from collections.abc import Mapping
from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationLimits:
    """Held by the kernel inside the child, so that no code there can talk its way around them."""

    memory_bytes: int  # of address space, the interpreter and its libraries included
    cpu_seconds: int


# A transparent 50-megapixel WEBP that must be turned needs 1.2 GiB and 12 s; a JPEG half of that.
INTAKE = OperationLimits(memory_bytes=1536 * MEBIBYTE, cpu_seconds=20)
GENEROUS = OperationLimits(memory_bytes=3072 * MEBIBYTE, cpu_seconds=60)

DEFAULT_LIMITS: Mapping[str, OperationLimits] = {"intake": INTAKE}
"""By operation; what is not named here gets ``GENEROUS``."""
