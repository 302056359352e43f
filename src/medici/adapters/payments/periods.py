"""How long one paid period is, told from where it begins and ends."""

from datetime import datetime

# The shortest and longest a period can be, in days, with its ISO 8601 name.
PERIODS = (
    (7, 7, "P1W"),
    (28, 31, "P1M"),
    (59, 62, "P2M"),
    (89, 92, "P3M"),
    (181, 184, "P6M"),
    (365, 366, "P1Y"),
)


def period_between(start: datetime | None, end: datetime | None) -> str | None:
    """Name the period such as P1M; None where it is none that stores sell."""
    if start is None or end is None:
        return None
    days = round((end - start).total_seconds() / 86_400)
    return next((name for least, most, name in PERIODS if least <= days <= most), None)
