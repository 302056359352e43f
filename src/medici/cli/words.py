"""Words that options take, for which the whole domain need not be loaded."""

from enum import StrEnum


class Tier(StrEnum):
    PREVIEW = "preview"
    FINAL = "final"
