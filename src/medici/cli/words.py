"""Words that options take, for which the whole domain need not be loaded."""

from enum import StrEnum
from typing import Annotated

import typer

DryOption = Annotated[
    bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")
]


class Tier(StrEnum):
    PREVIEW = "preview"
    FINAL = "final"


class Vendor(StrEnum):
    """Whose API there is a stand-in for."""

    APPLE = "apple"
    FAL = "fal"
    GOOGLE_PLAY = "google-play"
    OPENAI = "openai"
    REPLICATE = "replicate"
    STRIPE = "stripe"
