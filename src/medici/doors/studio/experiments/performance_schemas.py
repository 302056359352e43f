"""What is asked about the figures of experiments."""

from typing import Annotated

from fastapi import Query

MOST_HOURS = 1440

Hours = Annotated[int, Query(ge=1, le=MOST_HOURS, description="How far back to look.")]
