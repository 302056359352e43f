"""Who named an address, and who may see a secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Trust(StrEnum):
    """Whose word it is that an address is to be asked; each has an allow list of its own."""

    OPERATOR = "operator"  # named in the settings, or by a provider named there
    FOREIGN = "foreign"  # named by a customer or by anybody else


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Headers that one origin may see and no other.

    ``only_to`` is any URL of that origin, such as the base of a provider's API.
    """

    only_to: str
    headers: Mapping[str, str] = field(repr=False)
